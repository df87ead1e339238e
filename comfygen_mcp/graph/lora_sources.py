"""Finds what LoRAs are put behind: the models of a graph, the text encoder and the stage of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.lora_stages import Staging, noise_stage_told_by
from comfygen_mcp.graph.metadata import LoraAnchors
from comfygen_mcp.graph.samplers import samplers, samplers_of
from comfygen_mcp.graph.wiring import Slot, Wiring, wiring
from comfygen_mcp.models import Graph, LoraTarget, LoraUse
from comfygen_mcp.names import nearest_names

_PATCHED_ENCODERS = frozenset({"stable_diffusion", "sdxl", "sd3", "flux"})
"""Values of a CLIP loader's `type` whose LoRAs change the text encoder too.

Those for Wan, Qwen-Image, FLUX.2, Z-Image (`lumina2`), LTX-Video and the like hold the model alone.
"""


@dataclass(frozen=True, slots=True)
class LoraSource:
    """A model that LoRAs are put behind; *clip* is its text encoder, where there is one.

    *patched* tells whether this model's LoRAs change the text encoder as a rule.
    """

    model: Slot
    clip: Slot | None
    patched: bool
    stage: LoraTarget | None


def lora_sources(graph: Graph, catalogue: Catalogue, anchors: LoraAnchors | None) -> tuple[LoraSource, ...]:
    """Return the models that LoRAs belong behind; *anchors* name them where types do not tell.

    Models that no sampler uses (detectors, for one) are left out where another is used by one.
    """
    wires = wiring(graph, catalogue)
    sampling = frozenset(samplers(graph, wires, catalogue))
    clips = _anchored(graph, anchors) if anchors and anchors.model else _found(wires, sampling)
    stages = Staging(graph, wires, sampling, clips).stages()
    tied = _tied(clips, wires)
    return tuple(
        LoraSource(
            model=model,
            clip=clip if clip and _reachable(model, clip, tied) else None,
            patched=bool(anchors and anchors.clip) or (clip is not None and _is_patched(graph, clip[0])),
            stage=stages[model],
        )
        for model, clip in clips.items()
    )


def chosen_sources(use: LoraUse, sources: Sequence[LoraSource]) -> tuple[LoraSource, ...]:
    """Return the sources that a LoRA is meant for; raises BadRequest for a stage that is not there."""
    if use.target is None:
        return default_sources(use.name, sources)
    stages = {source.stage for source in sources if source.stage}
    if use.target in stages:
        return tuple(source for source in sources if source.stage == use.target)
    if use.target == "base" and not stages:
        return tuple(sources)
    known = f"its stages are {' and '.join(sorted(stages))}" if stages else "it has one stage"
    raise BadRequest(
        f"LoRA {use.name!r} has the target {use.target!r}, which this workflow does not have: {known}. "
        "Leave the target out, or choose a workflow that has it."
    )


def default_sources(name: str, sources: Sequence[LoraSource]) -> tuple[LoraSource, ...]:
    """Return the sources for a LoRA without a target: by its name, not the refiner, else all of them."""
    stages = {source.stage for source in sources}
    told = noise_stage_told_by(name)
    wanted = told if told in stages else "base"
    if wanted not in stages:
        return tuple(sources)
    return tuple(source for source in sources if source.stage in (wanted, None))


def _anchored(graph: Graph, anchors: LoraAnchors) -> dict[Slot, Slot | None]:
    for node_id, _ in (*anchors.model, *anchors.clip):
        if node_id not in graph:
            near = nearest_names(node_id, graph) or list(graph)[:10]
            raise BadWorkflow(
                f"_workflow_metadata.lora names node {node_id!r}, which does not exist. "
                f"Nodes: {', '.join(near)}."
            )
    last = len(anchors.clip) - 1
    return {
        model: anchors.clip[min(at, last)] if anchors.clip else None
        for at, model in enumerate(dict.fromkeys(anchors.model))
    }


def _found(wires: Wiring, sampling: frozenset[str]) -> dict[Slot, Slot | None]:
    models = wires.sources("MODEL")
    used = {model: samplers_of(model, wires, sampling) for model in models}
    if any(used.values()):
        used = {model: nodes for model, nodes in used.items() if nodes}
    encoders = wires.sources("CLIP")
    return {model: _clip_of(model, nodes, encoders, wires) for model, nodes in used.items()}


def _clip_of(model: Slot, nodes: Sequence[str], encoders: Sequence[Slot], wires: Wiring) -> Slot | None:
    """Return the text encoder of the same checkpoint, else the first that conditions the samplers."""
    own = (clip for clip in encoders if clip[0] == model[0])
    leading = wires.upstream(nodes, ("CONDITIONING", "GUIDER", "CLIP"))
    used = (wire.source for wire in leading if wire.source in encoders)
    return next(own, None) or next(used, None)


def _is_patched(graph: Graph, loader: str) -> bool:
    """Tell by the loader's `type`; a checkpoint, or a loader without one, is of a kind that LoRAs patch."""
    kind = graph[loader]["inputs"].get("type")
    return not isinstance(kind, str) or kind in _PATCHED_ENCODERS


def _tied(clips: dict[Slot, Slot | None], wires: Wiring) -> frozenset[str]:
    """Return the nodes of sources that depend on another source: linking these crosswise makes a circle."""
    involved = {slot[0] for pair in clips.items() for slot in pair if slot}
    above = {node_id: {wire.source[0] for wire in wires.upstream([node_id])} for node_id in involved}
    return frozenset(node_id for node_id in involved if (above[node_id] & involved) - {node_id})


def _reachable(model: Slot, clip: Slot, tied: frozenset[str]) -> bool:
    return model[0] == clip[0] or not {model[0], clip[0]} & tied
