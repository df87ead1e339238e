"""The size that a model makes of a picture: as near to the picture's own as the model's limits allow."""

import math
from typing import TypeAlias

from comfygen_mcp.models import Limits
from comfygen_mcp.sizes import Size

_Pair: TypeAlias = tuple[int, int]


def size_near(width: int, height: int, limits: Limits) -> Size:
    """Return the nearest size of about the same shape that fits *limits*; what changed becomes a note."""
    scale = _largest_scale((width, height), limits)
    if min(width, height) * scale < limits.min_edge:
        scale = limits.min_edge / min(width, height)
    made = _snapped((width * scale, height * scale), limits)
    if made == (width, height):
        return Size(width=width, height=height)
    note = (
        f"The picture's {width}x{height} became {made[0]}x{made[1]}: this model works in multiples of "
        f"{limits.multiple_of}, with edges of {limits.min_edge} to {limits.max_edge} and at most "
        f"{limits.max_pixels:,} pixels."
    )
    return Size(width=made[0], height=made[1], notes=(note,))


def size_within(width: int, height: int, limits: Limits) -> Size:
    """Return a size of the same shape, smaller only where *limits* ask for it."""
    scale = _largest_scale((width, height), limits)
    if scale >= 1:
        return Size(width=width, height=height)
    made = max(math.floor(width * scale), 1), max(math.floor(height * scale), 1)
    note = (
        f"The picture's {width}x{height} became {made[0]}x{made[1]}: edges of at most {limits.max_edge} "
        f"and {limits.max_pixels:,} pixels can be used here."
    )
    return Size(width=made[0], height=made[1], notes=(note,))


def _largest_scale(size: _Pair, limits: Limits) -> float:
    """Return how much of the picture's own size the upper limits allow, at most all of it."""
    return min(1.0, limits.max_edge / max(size), math.sqrt(limits.max_pixels / math.prod(size)))


def _snapped(size: tuple[float, float], limits: Limits) -> _Pair:
    step = limits.multiple_of
    low = -(-limits.min_edge // step) * step
    high = max(limits.max_edge // step * step, low)
    width, height = (min(max(math.floor(edge / step + 0.5) * step, low), high) for edge in size)
    while width * height > limits.max_pixels and max(width, height) > low:
        too_wide = width / height >= size[0] / size[1]
        if height <= low or (too_wide and width > low):
            width -= step
        else:
            height -= step
    return width, height
