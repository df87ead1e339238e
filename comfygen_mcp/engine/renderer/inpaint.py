"""Inpainting: what the mask covers is painted anew out of its surroundings; all else stays as it is."""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.fields import smoothstep
from comfygen_mcp.engine.renderer.filling import filled
from comfygen_mcp.engine.renderer.over import from_floats, in_colours_of
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.scene import paint_scene
from comfygen_mcp.engine.renderer.subject import draw_subject
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.weather import paint_weather
from comfygen_mcp.engine.values import Masks

Box: TypeAlias = tuple[int, int, int, int]
COVERED = 0.5
WHOLE = 0.98
"""A kept part that fills so much of its box is a picture that is to be continued around."""
TAKEN_OVER = 0.6
"""How far a new part takes on the colours of what it replaces."""
SUBJECT_FILLS = 0.86
"""How much of the covered area's smaller side a subject takes."""


def paint_inside(canvas: Image.Image, mask: Plane, plan: Plan) -> Image.Image:
    """Return *canvas* with what *plan* shows where *mask* is; at its edges it goes over into the canvas."""
    box, kept = _box(mask > COVERED), _box(mask <= COVERED)
    if box is None:
        return canvas
    if kept is None:
        return paint_scene(plan, *canvas.size)
    if (mask[_inside(kept)] <= COVERED).mean() > WHOLE:
        return _continued(canvas, kept, plan)
    image = filled(canvas, mask)
    if plan.subject and "place" not in plan.named:
        _stand(image, box, plan)
    else:
        part = paint_scene(plan, box[2] - box[0], box[3] - box[1])
        part = in_colours_of(part, image.crop(box), TAKEN_OVER)
        image.paste(part, box, _soft(mask[_inside(box)]))
    return image


def combined(before: Image.Image, after: Image.Image, mask: Plane) -> Image.Image:
    """Show *after* inside the mask; outside nothing changes."""
    old, new = np.asarray(before, np.float32), np.asarray(after, np.float32)
    return from_floats(old + mask[..., None] * (new - old))


def fitted_mask(masks: Masks, index: int, size: tuple[int, int]) -> Plane:
    plane = Image.fromarray(masks[index % len(masks)].astype(np.float32))
    if plane.size != size:
        plane = plane.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(plane, np.float32).clip(0, 1)


def _box(found: NDArray[np.bool_]) -> Box | None:
    rows, columns = (np.flatnonzero(found.any(axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _inside(box: Box) -> tuple[slice, slice]:
    return slice(box[1], box[3]), slice(box[0], box[2])


def _stand(image: Image.Image, box: Box, plan: Plan) -> None:
    """Draw the subject as large as the box allows, in the weather and style of the words."""
    part = image.crop(box)
    size = max(8, int(min(part.size) * SUBJECT_FILLS))
    draw_subject(part, plan, size, ((part.width - size) // 2, part.height - size))
    paint_weather(part, plan)
    image.paste(treated(part, plan), box)


def _soft(mask: Plane) -> Image.Image:
    """Return the mask with an edge that rises only inside it."""
    share = Image.fromarray((mask * 255).astype(np.uint8))
    edge = ImageOps.expand(share, 1, 0)  # what lies outside of the box is not covered
    smooth = np.asarray(edge.filter(ImageFilter.GaussianBlur(max(2.0, min(share.size) / 18))), np.float32)
    inward = (2 * smooth[1:-1, 1:-1] / 255 - 1).clip(0, 1)
    return Image.fromarray((np.minimum(mask, inward) * 255).astype(np.uint8))


def _continued(canvas: Image.Image, kept: Box, plan: Plan) -> Image.Image:
    """Let the picture in *kept* go on beyond its edges: mirrored, softer farther out, then by the plan."""
    around = ((kept[1], canvas.height - kept[3]), (kept[0], canvas.width - kept[2]))
    mirrored = Image.fromarray(np.pad(np.asarray(canvas)[_inside(kept)], (*around, (0, 0)), "symmetric"))
    distance = _distance(kept, canvas.size)
    softer = mirrored.filter(ImageFilter.GaussianBlur(min(canvas.size) / 60))
    image = Image.composite(softer, mirrored, _levels(smoothstep(0.0, 0.6, distance)))
    if "place" in plan.named:
        place = paint_scene(replace(plan, subject=None), *canvas.size)
        place = in_colours_of(place, mirrored, TAKEN_OVER)
        image = Image.composite(place, image, _levels(smoothstep(0.1, 0.75, distance)))
    paint_weather(image, plan)
    return treated(image, plan)


def _levels(share: Plane) -> Image.Image:
    return Image.fromarray((share * 255).astype(np.uint8))


def _distance(box: Box, size: tuple[int, int]) -> Plane:
    """Return 0 inside the box, rising to 1 at the farthest edge."""
    x, y = (np.arange(side, dtype=np.float32) for side in size)
    across = np.maximum(box[0] - x, x - box[2]).clip(0, None)
    down = np.maximum(box[1] - y, y - box[3]).clip(0, None)
    distance = np.hypot(down[:, None], across[None, :])
    return distance / max(1.0, float(distance.max()))
