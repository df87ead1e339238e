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
"""Frames of an animation that are compared."""


def mean_difference(first: bytes, second: bytes) -> float | None:
    """Return by how much the pixels of two pictures differ on average, from 0.0 (identical) to 255.

    Infinity for pictures of different sizes or lengths; None when one of them cannot be read.
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
    if math.prod(one.size) > MAX_PIXELS:
        return None
    found = [_of_frames(*pair) for pair in zip(_each(one), _each(other), strict=True)]
    return sum(found) / len(found)


def _of_frames(one: "Image", other: "Image") -> float:
    from PIL import ImageChops, ImageStat

    # As they are first: deeper pictures than 8 bits would lose what differs.
    if one.mode == other.mode and one.tobytes() == other.tobytes():
        return 0.0
    mode = "RGBA" if one.has_transparency_data or other.has_transparency_data else "RGB"
    channels = ImageStat.Stat(ImageChops.difference(one.convert(mode), other.convert(mode))).mean
    return max(sum(channels) / len(channels), math.ulp(0.0))


def _each(picture: "Image") -> "Iterator[Image]":
    for number in range(min(_frames(picture), MOST_FRAMES)):
        picture.seek(number)
        yield picture


def _frames(picture: "Image") -> int:
    return getattr(picture, "n_frames", 1)
