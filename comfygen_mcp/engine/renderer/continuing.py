"""Outpainting: a picture goes on beyond its edges, as sky and ground do, without a second subject."""

from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.fields import smoothstep
from comfygen_mcp.engine.renderer.old_label import old_bar
from comfygen_mcp.engine.renderer.over import from_floats

Box: TypeAlias = tuple[int, int, int, int]
ACROSS, UP, DOWN = 0.07, 0.006, 0.045
"""The share of a picture, next to its edge, of which the new part is made: subjects hardly reach so far.

A sky goes on upwards as it is, so that hardly more than a line of it is needed.
"""
STRETCHED = 2.2
SKY_COLUMNS, GROUND_COLUMNS = 4, 28
"""Of so many columns what lies above and below is made in the end."""
STREAKS_SET_IN = 0.02


def continued(canvas: Image.Image, kept: Box) -> Image.Image:
    """Let the picture in *kept* go on to the edges of *canvas*: its edges to and fro, drawn out and soft."""
    bar = old_bar(np.asarray(canvas), slice(kept[0], kept[2]), kept[3])
    kept = (kept[0], kept[1], kept[2], kept[3] - bar)
    part = canvas.crop(kept)
    across = _places(kept[0], part.width, canvas.width, (ACROSS, ACROSS))
    down = _places(kept[1], part.height, canvas.height, (UP, DOWN))
    image = from_floats(_sampled(_sampled(np.asarray(part, np.float32), across, 1), down, 0))
    image = _streaked(image, kept)
    image.paste(part, kept[:2])
    distance = _distance(kept, canvas.size)
    softer = image.filter(ImageFilter.GaussianBlur(min(canvas.size) / 140))
    return Image.composite(softer, image, _levels(smoothstep(0.0, 0.6, distance)))


def _streaked(image: Image.Image, kept: Box) -> Image.Image:
    """Smear what lies above and below sideways: clouds and waves would be seen to be mirrored."""
    rows = np.arange(image.height, dtype=np.float32)
    for columns, beyond in ((SKY_COLUMNS, kept[1] - rows), (GROUND_COLUMNS, rows - kept[3])):
        smeared = image.resize((columns, image.height), Image.Resampling.BOX)
        share = smoothstep(0.0, STREAKS_SET_IN * image.height, beyond)[:, None]
        mask = _levels(np.broadcast_to(share, (image.height, image.width)))
        image = Image.composite(smeared.resize(image.size, Image.Resampling.BICUBIC), image, mask)
    return image


def _places(before: int, length: int, whole: int, strips: tuple[float, float]) -> Plane:
    """Return for each pixel of the *whole* where in a picture that begins at *before* it is taken from."""
    place = np.arange(whole, dtype=np.float32) - before
    beyond = np.maximum(-place, place - (length - 1)).clip(0, None) / STRETCHED
    reach = np.where(place < 0, *strips).clip(1 / length) * length
    back = reach - np.abs(beyond % (2 * reach) - reach)
    inward = np.where(place < 0, back, length - 1 - back)
    return np.where(beyond > 0, inward, place).clip(0, length - 1).astype(np.float32)


def _sampled(pixels: Plane, places: Plane, axis: int) -> Plane:
    first = places.astype(np.int64)
    second = np.minimum(first + 1, pixels.shape[axis] - 1)
    share = (places - first).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    start = pixels.take(first, axis)
    return start + share * (pixels.take(second, axis) - start)


def _levels(share: Plane) -> Image.Image:
    return Image.fromarray((share * 255).astype(np.uint8))


def _distance(box: Box, size: tuple[int, int]) -> Plane:
    """Return 0 inside the box, rising to 1 at the farthest edge."""
    x, y = (np.arange(side, dtype=np.float32) for side in size)
    across = np.maximum(box[0] - x, x - box[2]).clip(0, None)
    down = np.maximum(box[1] - y, y - box[3]).clip(0, None)
    distance = np.hypot(down[:, None], across[None, :])
    return distance / max(1.0, float(distance.max()))
