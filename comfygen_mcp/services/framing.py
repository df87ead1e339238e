"""Framing: brings input pictures and their mask to the size that a workflow works in."""

from collections.abc import Sequence
from dataclasses import dataclass

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Crop, Limits
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.pictures import Picture, without_transparency
from comfygen_mcp.pictures_fit import Fitted, contained, fitted
from comfygen_mcp.pictures_mask import mask_for, united
from comfygen_mcp.services.measures import SIZED_BY_INPUT
from comfygen_mcp.sizes import Size, resolve_size
from comfygen_mcp.sizes_near import size_near, size_within

_LARGER = "Give resize as a larger size or one of another shape, such as 1536x1024 or 16:9."


@dataclass(frozen=True)
class Framed:
    """Pictures as they are uploaded, the first one with its mask, and what was changed on the way."""

    pictures: tuple[Picture, ...]
    mask: Picture | None
    notes: tuple[str, ...]


def framed(
    pictures: Sequence[Picture], mask: Picture | None, request: GenerateRequest, workflow: Workflow
) -> Framed:
    """Return *pictures* and *mask* in their final sizes; raises BadRequest for a size that cannot be."""
    first, *others = pictures
    repaint, notes = _mask(first, mask, request, workflow)
    if workflow.metadata.kind != "other":
        # What an unknown workflow makes of transparency is its own affair.
        first, *others = map(without_transparency, pictures)
    size, crop = _geometry(first, request, workflow)
    made = fitted(first, size.width, size.height, crop)
    if repaint is not None:
        repaint = fitted(repaint, size.width, size.height, crop).picture
    if crop == "extend":
        repaint = _with_border(made, repaint, size, workflow)
    further = [_beside(other, made.picture, request, workflow) for other in others]
    told = [note for picture in (made.picture, *further) for note in picture.notes]
    cut = [f"{note} {_how_to_keep_all(workflow)}" for note in made.notes]
    return Framed(
        pictures=(made.picture, *further),
        mask=repaint,
        notes=tuple(dict.fromkeys((*told, *notes, *size.notes, *cut, *_ignored_size(request, workflow)))),
    )


def _how_to_keep_all(workflow: Workflow) -> str:
    """Return the advice on a cut; the tool that makes videos cannot choose how a picture is fitted."""
    if workflow.metadata.kind == "img2video":
        return "A size of the picture's own shape keeps all of it; so does no size at all."
    return "generate_image's crop='contain' keeps all of it, 'stretch' distorts it, 'extend' paints a border."


def _ignored_size(request: GenerateRequest, workflow: Workflow) -> tuple[str, ...]:
    """Say that the size of what is made is already that of the picture it is made from."""
    given = {name: getattr(request, name) for name in ("size", "width", "height")}
    if request.resize is None or workflow.metadata.kind not in SIZED_BY_INPUT:
        return ()
    return tuple(
        f"{name}={value} has no effect: resize={request.resize} decides the size."
        for name, value in given.items()
        if value is not None
    )


def _mask(
    first: Picture, mask: Picture | None, request: GenerateRequest, workflow: Workflow
) -> tuple[Picture | None, tuple[str, ...]]:
    """Return the mask in the picture's size; without one, what is transparent is inpainted."""
    if mask is not None:
        return mask_for(mask, first)
    if workflow.metadata.kind == "inpaint" and first.transparent and request.crop != "extend":
        return mask_for(first, first)[0], ("The picture's transparent parts are repainted.",)
    return None, ()


def _geometry(picture: Picture, request: GenerateRequest, workflow: Workflow) -> tuple[Size, Crop]:
    """Return the size that *picture* is brought to, and how."""
    limits, crop = workflow.metadata.limits, request.crop or "cover"
    size = _asked(picture, request, workflow)
    if size is None:
        if crop == "extend":
            raise BadRequest(f"crop='extend' needs to know how far. {_LARGER}")
        if workflow.metadata.kind == "img2video":
            return _filmed(picture, workflow), crop
        if workflow.metadata.kind in SIZED_BY_INPUT:
            return size_near(picture.width, picture.height, limits), crop
        return size_within(picture.width, picture.height, limits), "stretch"
    if crop == "contain":
        return _contained(picture, size, limits), "stretch"
    return size, crop


def _filmed(picture: Picture, workflow: Workflow) -> Size:
    """Return the picture's size, with no more pixels than the model's own videos have: more cost minutes."""
    own, limits = workflow.metadata.defaults, workflow.metadata.limits
    usual = int(own.get("width", 0)) * int(own.get("height", 0)) or limits.max_pixels
    bounded = limits.model_copy(update={"max_pixels": min(usual, limits.max_pixels)})
    return size_near(picture.width, picture.height, bounded)


def _contained(picture: Picture, asked: Size, limits: Limits) -> Size:
    """Return the size of the whole picture inside *asked*, which the model can make."""
    inner = contained(picture.size, (asked.width, asked.height))
    made = size_near(*inner, limits)
    if (made.width, made.height) == (asked.width, asked.height):
        return asked
    note = (
        f"All of the {picture.width}x{picture.height} picture inside {asked.width}x{asked.height} is "
        f"{made.width}x{made.height}."
    )
    return Size(width=made.width, height=made.height, notes=(*asked.notes, note))


def _asked(picture: Picture, request: GenerateRequest, workflow: Workflow) -> Size | None:
    """Return the size that the caller gave: `resize`, else the size of what is made from the picture."""
    limits = workflow.metadata.limits
    own = size_near(picture.width, picture.height, limits)
    given = request.size, request.width, request.height
    if request.resize is not None:
        given = request.resize, None, None
    elif given == (None, None, None) or workflow.metadata.kind not in SIZED_BY_INPUT:
        return None
    return resolve_size(
        size=given[0],
        width=given[1],
        height=given[2],
        default_width=own.width,
        default_height=own.height,
        limits=limits,
    )


def _with_border(made: Fitted, mask: Picture | None, size: Size, workflow: Workflow) -> Picture | None:
    if made.mask is None:
        if mask is None:
            raise BadRequest(
                f"crop='extend' leaves nothing to paint: {size.width}x{size.height} is all picture. {_LARGER}"
            )
        return mask
    if mask is not None:
        return united(mask, made.mask)
    return made.mask if "mask" in placeholders(workflow.graph) else None


def _beside(picture: Picture, first: Picture, request: GenerateRequest, workflow: Workflow) -> Picture:
    """Return a further picture: where the first one decides the size, in that, else in its own."""
    if workflow.metadata.kind in SIZED_BY_INPUT:
        return fitted(picture, first.width, first.height, "cover").picture
    how = request.model_copy(update={"crop": "contain"}) if request.crop == "extend" else request
    size, crop = _geometry(picture, how, workflow)
    return fitted(picture, size.width, size.height, crop).picture
