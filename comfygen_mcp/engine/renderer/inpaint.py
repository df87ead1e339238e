"""Inpainting: what the mask covers is painted anew out of its surroundings; all else stays as it is."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from comfygen_mcp.engine.renderer.chance import fraction
from comfygen_mcp.engine.renderer.colour import NAMED, Plane
from comfygen_mcp.engine.renderer.continuing import Box, continued
from comfygen_mcp.engine.renderer.filling import filled
from comfygen_mcp.engine.renderer.over import from_floats, in_colours_of
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.scene import paint_scene
from comfygen_mcp.engine.renderer.subject import draw_subject
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.weather import paint_weather
from comfygen_mcp.engine.values import Masks

COVERED = 0.5
WHOLE = 0.98
"""A kept part that fills so much of its box is a picture that is to be continued around."""
TAKEN_OVER = 0.6
"""How far a new part takes on the colours of what it replaces."""
SUBJECT_FILLS = 0.86
"""How much of the covered area's smaller side a subject takes."""
ROUND_FILLS = 0.72
"""The same where the covered area is rounded, so that its corners do not cut the subject off."""
ROUNDED = 0.93
"""A covered area that fills less of its box than this is rounded."""
MOSTLY = 0.5
"""A covered area that fills so much of the picture is a place to paint, if the words name one."""
ABSENT = frozenset(["remove", "removed", "erase", "delete", "nothing", "empty", "gone", "seamless", "more"])
"""Words after which nothing is to be seen but the surroundings."""
SURROUNDINGS = frozenset(
    ["background", "sky", "cloud", "clouds", "grass", "ground", "floor", "wall", "water", "clean", "clear"]
)
"""Words that name no subject, although no drawing shows what they name."""


def paint_inside(canvas: Image.Image, mask: Plane, plan: Plan) -> Image.Image:
    """Return *canvas* with what *plan* shows where *mask* is; at its edges it goes over into the canvas."""
    box, kept = _box(mask > COVERED), _box(mask <= COVERED)
    if box is None:
        return canvas
    if kept is None:
        return paint_scene(plan, *canvas.size)
    if kept != (0, 0, *canvas.size) and (mask[_inside(kept)] <= COVERED).mean() > WHOLE:
        return treated(continued(canvas, kept), plan)
    image = filled(canvas, mask)
    if not ABSENT.isdisjoint(plan.words):
        return image
    covered = mask[_inside(box)] > COVERED
    if shown := _asked(plan, covered.size / mask.size):
        _stand(image, box, covered, shown)
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


def _asked(plan: Plan, share: float) -> Plan | None:
    """Return the plan with what is to be drawn into that *share* of the picture; None for a place.

    What the words name but no drawing shows becomes a ball, of the colour that they name.
    """
    if plan.subject:
        return plan if share < MOSTLY or "place" not in plan.named else None
    # "golden" names an hour, and a colour as well.
    is_scene = "place" in plan.named or plan.weather or ("time" in plan.named and not plan.accents)
    if is_scene or plan.tones or not plan.words or not SURROUNDINGS.isdisjoint(plan.words):
        return None
    some = list(NAMED.values())[int(fraction(plan.key, "ball") * len(NAMED))]
    return replace(plan, subject="ball", subject_colour=next(iter(plan.accents), some))


def _stand(image: Image.Image, box: Box, covered: NDArray[np.bool_], plan: Plan) -> None:
    """Draw the subject as large as the covered part of the box allows, with weather and style."""
    part = image.crop(box)
    is_rounded = covered.mean() < ROUNDED
    size = max(8, int(min(part.size) * (ROUND_FILLS if is_rounded else SUBJECT_FILLS)))
    top = (part.height - size) // 2 if is_rounded else part.height - size
    draw_subject(part, plan, size, ((part.width - size) // 2, top))
    paint_weather(part, plan)
    image.paste(treated(part, plan), box)


def _soft(mask: Plane) -> Image.Image:
    """Return the mask with an edge that rises only inside it."""
    share = Image.fromarray((mask * 255).astype(np.uint8))
    edge = ImageOps.expand(share, 1, 0)  # what lies outside of the box is not covered
    smooth = np.asarray(edge.filter(ImageFilter.GaussianBlur(max(2.0, min(share.size) / 18))), np.float32)
    inward = (2 * smooth[1:-1, 1:-1] / 255 - 1).clip(0, 1)
    return Image.fromarray((np.minimum(mask, inward) * 255).astype(np.uint8))
