"""What regenerating may change, and the request that an old recipe comes to with the changes."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.links import is_link
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Generation, Graph, InputFile, Job, JsonValue, Limits, LoraUse, Record
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.inputs import PLACEHOLDERS
from comfygen_mcp.services.measures import SIZED_BY_INPUT
from comfygen_mcp.sizes import resolve_size

_FILLS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("prompt", "negative", "seed", "cfg", "sampler", "scheduler", "denoise")},
    "steps": ("steps", "split_step"),
    "size": ("width", "height"),
    "count": ("batch_size",),
}
"""A change → the placeholders whose old values it makes void."""
_INPUTS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("steps", "cfg", "scheduler", "denoise", "width", "height")},
    "seed": ("seed", "noise_seed"),
    "sampler": ("sampler_name", "sampler"),
    "count": ("batch_size",),
}
"""A knob → what nodes call the input that it turns."""
_SAMPLING = ("steps", "cfg", "sampler", "scheduler")


class Changes(Record):
    """What is to be different; None means: as it was.

    *model* names another model, which keeps its own steps, cfg and sampler. No *loras* at all are `()`.
    """

    prompt: str | None = None
    negative: str | None = None
    model: str | None = None
    size: str | None = None
    count: int | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    loras: tuple[LoraUse, ...] | None = None
    denoise: float | None = None

    @property
    def given(self) -> dict[str, JsonValue]:
        return {name: value for name, value in self if value is not None}

    @property
    def sampling(self) -> bool:
        """Whether a knob is turned that a preset sets."""
        return any(name in self.given for name in _SAMPLING)


def fit(changes: Changes, template: Workflow, *, sized_by_input: bool) -> bool:
    """Tell whether *template* has a place for each of *changes*."""
    places = placeholders(template.graph)
    names = {name for change in changes.given for name in _FILLS.get(change, ())}
    names -= {"split_step"} | ({"width", "height"} if sized_by_input else set())
    return names <= places.keys()


def by_template(
    original: Generation,
    changes: Changes,
    template: Workflow,
    *,
    model: str | None,
    prompt: str,
    pictures: Mapping[str, bytes],
) -> GenerateRequest:
    """Return the request that fills *template* as it was filled, less what *changes* say.

    *model* is the configured backend that made it. *pictures* are given where they must be brought to
    another size; else they are not part of the request, being stored as they were uploaded.
    """
    job, places = original.job, placeholders(template.graph)
    void = {name for change in changes.given for name in _FILLS.get(change, ())}
    void_places = {f"{place.node}.{place.input}" for name in void for place in places.get(name, ())}
    brought = {"prompt", *(file.placeholder for file in job.inputs)}
    kept = {n: v for n, v in job.values.items() if n in places and n not in void | brought}
    own = template.graph if job.graph is not None and not job.verbatim else None
    return GenerateRequest(
        **{
            **changes.given,
            "prompt": prompt,
            "model": model,
            "seed": original.seed if changes.seed is None else changes.seed,
            "loras": job.loras if changes.loras is None else changes.loras,
        },
        workflow=None if own else template.reference,
        graph=own,
        **(_given_pictures(pictures) or _stored_pictures(job)),
        values={**kept, **{n: v for n, v in job.overrides.items() if n not in void_places}},
        parent_id=original.id,
    )


def by_graph(original: Generation, changes: Changes, *, model: str | None, prompt: str) -> GenerateRequest:
    """Return the request for the stored graph itself, with *changes* made wherever it has the old values.

    Raises BadRequest for a change that has no place in it.
    """
    return GenerateRequest(
        prompt=prompt,
        model=model,
        graph=original.graph,
        values=dict(_set_in_graph(original, changes, prompt)),
        seed=original.seed if changes.seed is None else changes.seed,
        loras=changes.loras or (),
        parent_id=original.id,
    )


def by_other_model(
    original: Generation, changes: Changes, *, prompt: str, pictures: Mapping[str, bytes]
) -> GenerateRequest:
    """Return the request for the same picture by another model, which brings its own settings.

    *pictures* are those that the original was made from, by placeholder.
    """
    job = original.job
    given = _given_pictures({name: pictures[name] for name in pictures if "." not in name})
    sized_by_input = bool(pictures) and original.kind in SIZED_BY_INPUT
    size = None if sized_by_input or not job.width else f"{job.width}:{job.height}"
    return GenerateRequest(
        **{
            "negative": job.negative_prompt or None,
            "size": size,
            "count": job.count if job.count > 1 else None,
            "seed": original.seed,
            "denoise": job.denoise if pictures else None,
            **changes.given,
            "prompt": prompt,
        },
        kind=None if original.kind == "other" else original.kind,
        **given,
        parent_id=original.id,
    )


def in_old_size(files: Sequence[InputFile]) -> tuple[int, int] | None:
    """Return the size of the first picture that a job worked on."""
    return next(((file.width, file.height) for file in files), None)


def _set_in_graph(original: Generation, changes: Changes, prompt: str) -> dict[str, JsonValue]:
    job = original.job
    old = {"prompt": job.prompt, "negative": job.negative_prompt, "seed": original.seed}
    new = {**changes.given, "prompt": prompt}
    if changes.prompt is None:
        del new["prompt"]
    if size := new.pop("size", None):
        made = resolve_size(
            size=str(size),
            width=None,
            height=None,
            default_width=job.width or 1024,
            default_height=job.height or 1024,
            limits=Limits(),
        )
        new |= {"width": made.width, "height": made.height}
    found: dict[str, JsonValue] = {}
    for knob, value in new.items():
        if knob not in {"loras", "model"}:
            was = old[knob] if knob in old else getattr(job, knob)
            found |= dict.fromkeys(_places(original, knob, was), value)
    return found


def _places(original: Generation, knob: str, was: JsonValue) -> list[str]:
    """Return the inputs of the stored graph that hold the old value of *knob*, as `node.input`."""
    texts = knob in {"prompt", "negative"}
    names = None if texts else _INPUTS[knob]
    found = [] if was in (None, "") else list(_holding(original.graph, names, was))
    if not found:
        raise BadRequest(
            f"{knob} cannot be changed: in the graph of {original.id} no input is known to hold it "
            f"(recorded: {_shown(was)}). run_workflow(from_image={original.id!r}, "
            "params={'node.input': value}) sets any input."
        )
    return found


def _holding(graph: Graph, names: tuple[str, ...] | None, value: JsonValue) -> list[str]:
    return [
        f"{node_id}.{name}"
        for node_id, node in graph.items()
        for name, present in node["inputs"].items()
        if (names is None or name in names) and not is_link(present) and present == value
    ]


def _shown(value: JsonValue) -> str:
    text = repr(value)
    return "nothing" if value in (None, "") else text if len(text) <= 60 else f"{text[:57]}..."


def _given_pictures(pictures: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the fields of a request that hold *pictures*, each by what it fills."""
    texts = {name: _data_uri(data) for name, data in pictures.items()}
    images = tuple(texts.pop(name) for name in PLACEHOLDERS if name in texts)
    mask = texts.pop("mask", None) if images else None
    return {"images": images, "mask": mask, "uploads": texts} if pictures else {}


def _stored_pictures(job: Job) -> dict[str, Any]:
    """Return the same fields with the keys of what is stored: it is there, and not read again."""
    keys = {file.placeholder: file.key for file in job.inputs}
    return {"images": tuple(keys[name] for name in PLACEHOLDERS if name in keys), "mask": keys.get("mask")}


def _data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
