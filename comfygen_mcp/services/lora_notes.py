"""What becomes of LoRAs in a job: those that are left out, and notes on those that will not work as meant."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from comfygen_mcp.graph.lora_facts import LoraFacts, fits
from comfygen_mcp.graph.lora_names import matching_files
from comfygen_mcp.graph.lora_strength import sampling_note, strength_note
from comfygen_mcp.graph.metadata import Architecture
from comfygen_mcp.models import LoraUse, Record


class Around(Record):
    """The job that LoRAs go into; *own* are the LoRA files that its workflow loads already.

    *built_in* tells which other model has a file built in for the same task.
    """

    workflow: str
    architecture: Architecture | None = None
    own: tuple[str, ...] = ()
    built_in: Mapping[str, str] = Field(default_factory=dict[str, str])
    steps: int | None = None
    cfg: float | None = None


class ResolvedLoras(Record):
    """LoRAs by the full names of installed files, in the order in which they are chained."""

    loras: tuple[LoraUse, ...] = ()
    notes: tuple[str, ...] = ()


def resolved(uses: Sequence[LoraUse], facts: Mapping[str, LoraFacts], around: Around) -> ResolvedLoras:
    """Return *uses* less those that the workflow has itself: applied twice, their strengths would add up."""
    own = [use.name for use in uses if any(matching_files(file, [use.name]) for file in around.own)]
    kept = tuple(use for use in uses if use.name not in own)
    notes = [
        *(_own_note(name, around.workflow) for name in own),
        *(note for use in kept for note in _notes(use, facts[use.name], around)),
        *_repeated(kept),
    ]
    return ResolvedLoras(loras=kept, notes=tuple(dict.fromkeys(notes)))


def _own_note(name: str, workflow: str) -> str:
    return f"LoRA {name} is part of workflow {workflow} already: it is not added a second time."


def _notes(use: LoraUse, facts: LoraFacts, around: Around) -> list[str]:
    notes = (
        _mismatch(use.name, facts, around.architecture),
        strength_note(use.name, use.strength, facts),
        sampling_note(
            use.name,
            facts,
            steps=around.steps,
            cfg=around.cfg,
            built_into=around.built_in.get(use.name),
        ),
    )
    return [note for note in notes if note]


def _mismatch(name: str, facts: LoraFacts, architecture: Architecture | None) -> str | None:
    """Warn by what the file itself says only: names lie too often for that."""
    if facts.base_from_name or fits(facts.base, architecture) is not False:
        return None
    return (
        f"LoRA {name} is made for {facts.base}, this model is {architecture}: ComfyUI applies nothing of it, "
        "and says so only in its own log. list_loras(model=...) marks those that fit."
    )


def _repeated(uses: Sequence[LoraUse]) -> list[str]:
    """Return a note per file that a stage gets more than once; once per stage is as it should be."""
    keys = [(use.name, use.target) for use in uses]
    return [
        f"LoRA {name} is given {keys.count((name, target))} times: the strengths add up."
        for name, target in dict.fromkeys(keys)
        if keys.count((name, target)) > 1
    ]
