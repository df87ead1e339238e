"""Measures: how large, how long and how many - what the model's limits make of a request."""

from collections.abc import Mapping

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.frames import resolve_frames
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Kind, Record, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.sizes import Size, resolve_size

SIZED_BY_INPUT: tuple[Kind, ...] = ("img2img", "inpaint", "img2video")
"""Kinds whose input picture is brought to the final size before it is uploaded."""

_DEFAULT_FPS = 16.0
_DEFAULT_FRAMES = 81
_DEFAULT_SCALE = 2.0


class Measures(Record):
    """Width and height in pixels, and for videos the number of frames."""

    size: Size
    frames: int | None = None
    notes: tuple[str, ...] = ()

    def values(self) -> dict[str, Scalar]:
        """Return what fills the placeholders."""
        made: dict[str, Scalar] = {"width": self.size.width, "height": self.size.height}
        return made if self.frames is None else {**made, "frames": self.frames}


def measured(
    request: GenerateRequest,
    preset: Mapping[str, Scalar],
    values: Mapping[str, Scalar],
    workflow: Workflow,
    brought: tuple[int, int] | None,
) -> Measures:
    """Return what is made of a picture of the size *brought*; raises BadRequest beyond the limits."""
    _check_count(request, workflow)
    _check_scale(request, workflow)
    known = placeholders(workflow.graph)
    size = _size(request, preset, values, workflow, brought)
    if not {"width", "height"} & known.keys():
        size = size.model_copy(update={"notes": ()})
    if "frames" not in known:
        return Measures(size=size, notes=size.notes)
    frames = resolve_frames(
        frames=request.frames,
        seconds=request.seconds,
        fps=real(values.get("fps")) or _DEFAULT_FPS,
        default=whole(values.get("frames")) or _DEFAULT_FRAMES,
        limits=workflow.metadata.limits,
    )
    return Measures(size=size, frames=frames.frames, notes=(*size.notes, *frames.notes))


def whole(value: Scalar | None) -> int | None:
    return None if value is None or isinstance(value, str) else int(value)


def real(value: Scalar | None) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _check_count(request: GenerateRequest, workflow: Workflow) -> None:
    most = workflow.metadata.limits.max_count if "batch_size" in placeholders(workflow.graph) else 1
    count = request.count
    if count is None or 1 <= count <= most:
        return
    if count > 1 == most:
        raise BadRequest(
            f"count={count}: {workflow.name} makes one at a time. Call again for each; without a seed every "
            "call gives another picture."
        )
    raise BadRequest(f"count={count} is not possible: use 1 to {most}.")


def _check_scale(request: GenerateRequest, workflow: Workflow) -> None:
    """Refuse a factor that is none; what a workflow of another kind makes of it is its own affair."""
    scale = request.scale
    if workflow.metadata.kind == "upscale" and scale is not None and not 1 <= scale <= 8:
        raise BadRequest(f"scale={scale:g} is not possible: use 1 to 8 (2 and 4 are usual).")


def _size(
    request: GenerateRequest,
    preset: Mapping[str, Scalar],
    values: Mapping[str, Scalar],
    workflow: Workflow,
    brought: tuple[int, int] | None,
) -> Size:
    kind, limits = workflow.metadata.kind, workflow.metadata.limits
    default = (whole(values.get("width")) or 1024, whole(values.get("height")) or 1024)
    asked_here = request.size is not None or request.width is not None or request.height is not None
    if brought is not None and kind in SIZED_BY_INPUT:
        return Size(width=brought[0], height=brought[1])
    if brought is not None and kind == "upscale":
        default = brought if asked_here else _scaled(brought, request, values)
    elif brought is not None and not asked_here:
        # An edited picture keeps its shape, with about as many pixels as the model makes.
        return resolve_size(
            size=f"{brought[0]}:{brought[1]}",
            width=None,
            height=None,
            default_width=default[0],
            default_height=default[1],
            limits=limits,
        )
    return resolve_size(
        size=request.size,
        width=request.width if asked_here else whole(preset.get("width")),
        height=request.height if asked_here else whole(preset.get("height")),
        default_width=default[0],
        default_height=default[1],
        limits=limits,
    )


def _scaled(
    brought: tuple[int, int], request: GenerateRequest, values: Mapping[str, Scalar]
) -> tuple[int, int]:
    scale = request.scale or real(values.get("scale")) or _DEFAULT_SCALE
    return round(brought[0] * scale), round(brought[1] * scale)
