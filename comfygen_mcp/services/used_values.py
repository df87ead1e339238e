"""The values of a request that its workflow uses, and a word about those that it does not."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import fill, placeholders
from comfygen_mcp.models import Kind, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.recipe import Recipe
from comfygen_mcp.services.request_checks import parse_seed

_KNOBS = ("steps", "cfg", "sampler", "scheduler", "denoise", "fps", "upscale_model")


def asked_values(request: GenerateRequest, *, prompt: str, negative: str) -> dict[str, Scalar]:
    """Return what the request itself fills; seed, size and frames are settled after the rest."""
    asked: dict[str, Scalar | None] = {
        "prompt": prompt,
        "negative": negative or None,
        "batch_size": request.count,
        "scale": request.scale,
        **{name: getattr(request, name) for name in _KNOBS},
    }
    return {name: value for name, value in asked.items() if value is not None}


def split_step(values: Mapping[str, Scalar], workflow: Workflow) -> dict[str, Scalar]:
    """Return the step at which a two-stage model goes over to its second stage, in proportion to the steps.

    One that was set apart from the template's own is left as it is.
    """
    own, steps = workflow.metadata.defaults, values.get("steps")
    split, of = own.get("split_step"), own.get("steps")
    if values.get("split_step") != split or steps == of:
        return {}
    if not (isinstance(split, int) and isinstance(of, int) and isinstance(steps, int)):
        return {}
    return {"split_step": max(1, round(steps * split / of))}


def used_values(workflow: Workflow, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the values that the template asks for; raises BadWorkflow for one that nobody gives.

    An optional placeholder without a value is left out: its nodes are bypassed.
    """
    wanted = [name for name in placeholders(workflow.graph) if name not in workflow.metadata.optional]
    if any(name not in values for name in wanted):
        fill(workflow.graph, {**dict.fromkeys(workflow.metadata.optional, ""), **values})
    return {name: values[name] for name in placeholders(workflow.graph) if name in values}


class Outcome(NamedTuple):
    """What a request comes to; *sized_by_input* says that the size of its input picture decides."""

    kind: Kind
    used: Mapping[str, Scalar]
    recipe: Recipe
    sized_by_input: bool


def unused_notes(request: GenerateRequest, preset: Mapping[str, Scalar], outcome: Outcome) -> tuple[str, ...]:
    """Say which knobs the caller, or the preset, turned that this workflow does not have.

    Nothing is said of a value that the workflow has all the same.
    """
    asked = {name: getattr(request, name) or preset.get(name) for name in (*_KNOBS, "frames", "negative")}
    asked |= {"seed": parse_seed(request.seed), "seconds": request.seconds}
    has = {**outcome.used, "seconds": outcome.used.get("frames")}
    made = {**dict(outcome.recipe), "negative": outcome.recipe.negative_prompt}
    knobs = (
        _no_effect(name, value, "this workflow has no such knob")
        for name, value in asked.items()
        if value is not None and has.get(name) is None and made.get(name) != value
    )
    return (*_prompt_notes(request, outcome), *knobs, *_size_notes(request, outcome))


def _prompt_notes(request: GenerateRequest, outcome: Outcome) -> tuple[str, ...]:
    prompt = request.prompt.strip()
    if not prompt or "prompt" in outcome.used or prompt in outcome.recipe.prompt:
        return ()
    return ("The prompt has no effect: this workflow has no place for one (no ${prompt}).",)


def _size_notes(request: GenerateRequest, outcome: Outcome) -> Iterator[str]:
    """Speak of a size and a scale; a workflow that enlarges does so to the size that the scale comes to."""
    sized = bool({"width", "height"} & outcome.used.keys())
    given = {name: getattr(request, name) for name in ("size", "width", "height")}
    asked = {name: value for name, value in given.items() if value is not None}
    width, height = outcome.recipe.width, outcome.recipe.height
    if not sized and not outcome.sized_by_input:
        made = f"makes {width}x{height}" if width and height else "has no such knob"
        yield from (_no_effect(*pair, f"this workflow {made}") for pair in asked.items())
    if request.scale is None or "scale" in outcome.used:
        return
    if outcome.kind != "upscale" or not sized:
        yield _no_effect("scale", request.scale, "this workflow has no such knob")
    elif asked:
        yield _no_effect("scale", request.scale, "the size that is given decides")


def _no_effect(name: str, value: object, why: str) -> str:
    return f"{name}={str(value)[:40]} has no effect: {why}."
