"""The values of a request that its workflow uses, and a word about those that it does not."""

from collections.abc import Mapping

from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import fill, placeholders
from comfygen_mcp.models import Scalar
from comfygen_mcp.models_request import GenerateRequest

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


def unused_notes(
    request: GenerateRequest, preset: Mapping[str, Scalar], used: Mapping[str, Scalar]
) -> tuple[str, ...]:
    """Say which knobs the caller, or the preset, turned that this workflow does not have."""
    asked = {name: getattr(request, name) or preset.get(name) for name in (*_KNOBS, "frames", "negative")}
    return tuple(
        f"{name}={str(value)[:40]} has no effect: this workflow has no such knob."
        for name, value in asked.items()
        if value is not None and name not in used
    )
