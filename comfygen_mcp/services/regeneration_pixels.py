"""Whether two pictures look alike to the last pixel, whatever their files hold besides."""

import io
import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from comfygen_mcp.images import MAX_PIXELS, UNREADABLE

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_FRAMES = 300
"""Longer animations are not compared."""

_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA"})
"""Kinds of pictures that are the same picture exactly when they are the same as RGBA."""


def mean_difference(first: bytes, second: bytes) -> float | None:
    """Return by how much the pixels of two pictures differ on average, from 0.0 (identical) to 255.

    Infinity for pictures of different sizes or lengths; None when one of them cannot be read, or is too long.
    """
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(first)) as one,
            Image.open(io.BytesIO(second)) as other,
        ):
            return _difference(one, other)
    except (*UNREADABLE, Image.DecompressionBombError):
        return None


def _difference(one: "Image", other: "Image") -> float | None:
    if one.size != other.size or _frames(one) != _frames(other):
        return math.inf
    if math.prod(one.size) > MAX_PIXELS or _frames(one) > MOST_FRAMES:
        return None
    found = [_of_frames(*pair) for pair in zip(_each(one), _each(other), strict=True)]
    return sum(found) / len(found)


def _of_frames(one: "Image", other: "Image") -> float:
    from PIL import ImageChops, ImageStat

    small = {one.mode, other.mode} <= _EIGHT_BITS
    # Deeper pictures than 8 bits would lose what differs: they are compared as they are.
    if not small and _as_they_are(one) == _as_they_are(other):
        return 0.0
    seen_through = one.has_transparency_data or other.has_transparency_data
    mode = "RGBA" if small and seen_through else "RGB"
    channels = ImageStat.Stat(ImageChops.difference(one.convert(mode), other.convert(mode))).mean
    mean = sum(channels) / len(channels)
    return mean if small else max(mean, math.ulp(0.0))


def _as_they_are(picture: "Image") -> tuple[str, bytes, object]:
    return picture.mode, picture.tobytes(), picture.info.get("transparency")


def _each(picture: "Image") -> "Iterator[Image]":
    for number in range(_frames(picture)):
        picture.seek(number)
        yield picture


def _frames(picture: "Image") -> int:
    return getattr(picture, "n_frames", 1)
