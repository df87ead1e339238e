"""Sizes: `1216x832`, a ratio or a name becomes a width and a height that the model can make."""

import math
import re
from itertools import product
from typing import TypeAlias

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.models import Limits, Record

NAMED_RATIOS: dict[str, tuple[int, int]] = {
    "square": (1, 1),
    "portrait": (3, 4),
    "landscape": (4, 3),
    "photo": (3, 2),
    "poster": (2, 3),
    "wide": (16, 9),
    "tall": (9, 16),
    "ultrawide": (21, 9),
}
"""Names of shapes, as width : height; each is made with about as many pixels as the model's own size."""

_Pair: TypeAlias = tuple[int, int]
_PIXELS = re.compile(r"(-?\d{1,9})\s*[x*\u00d7]\s*(-?\d{1,9})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,5}(?:\.\d{1,5})?)\s*[:/]\s*(\d{1,5}(?:\.\d{1,5})?)")


class Size(Record):
    """A size that the model can make; *notes* say what was changed to get there."""

    width: int
    height: int
    notes: tuple[str, ...] = ()


def resolve_size(
    *,
    size: str | None,
    width: int | None,
    height: int | None,
    default_width: int,
    default_height: int,
    limits: Limits,
) -> Size:
    """Return the size that is meant; raises BadRequest where there is none.

    Exact pixels are rounded to the model's multiple, with a note. A ratio or a name alone gives about
    the model's own number of pixels; beside one edge it gives the other. One edge alone keeps the
    model's own shape.
    """
    default = (default_width, default_height)
    shape = None if size is None else _shape(size)
    if size is not None and shape is None:
        return _exact(_agreed(size, width, height), limits)
    match width, height:
        case None, None:
            return _exact(default, limits) if shape is None else _of_shape(shape, math.prod(default), limits)
        case int(), int():
            if shape is not None:
                raise BadRequest(f"size={size!r} is given beside width and height. Give one or the other.")
            return _exact((width, height), limits)
        case _:
            return _from_one_edge(width, height, _ratio_of(shape or default), limits)


def _shape(size: str) -> tuple[float, float] | None:
    """Return the proportions that a ratio or a name stands for, and None for exact pixels."""
    text = size.strip().lower()
    if text in NAMED_RATIOS:
        return NAMED_RATIOS[text]
    if found := _RATIO.fullmatch(text):
        across, down = float(found[1]), float(found[2])
        if not across or not down:
            raise BadRequest(f"size={size!r} has a side of 0. Give a ratio such as 16:9.")
        return across, down
    if _PIXELS.fullmatch(text):
        return None
    raise UnknownName(
        "size", size, NAMED_RATIOS, hint="Pixels such as 1024x768 and ratios such as 16:9 do too."
    )


def _agreed(size: str, width: int | None, height: int | None) -> _Pair:
    found = _PIXELS.fullmatch(size.strip().lower())
    pair = (int(found[1]), int(found[2])) if found else (0, 0)
    for given, meant, name in ((width, pair[0], "width"), (height, pair[1], "height")):
        if given is not None and given != meant:
            raise BadRequest(
                f"size={size!r} and {name}={given} contradict each other. Give one or the other."
            )
    return pair


def _ratio_of(shape: tuple[float, float]) -> float:
    return shape[0] / shape[1]


def _from_one_edge(width: int | None, height: int | None, ratio: float, limits: Limits) -> Size:
    name, given = ("width", width) if width is not None else ("height", height or 0)
    _check_edge(given, f"{name}={given}", limits)
    edge, step = _nearest(given, limits.multiple_of), limits.multiple_of
    pair = (edge, _nearest(given / ratio, step)) if name == "width" else (_nearest(given * ratio, step), edge)
    made = _exact(pair, limits)
    if edge == given:
        return made
    note = f"{name}={given} became {edge}: this model works in multiples of {step}."
    return made.model_copy(update={"notes": (note,)})


def _exact(asked: _Pair, limits: Limits) -> Size:
    for edge in asked:
        _check_edge(edge, _text(asked), limits)
    if math.prod(asked) > limits.max_pixels:
        raise BadRequest(
            f"{_text(asked)} is {math.prod(asked):,} pixels; this model makes at most {limits.max_pixels:,}. "
            "Make a smaller picture and upscale it."
        )
    made = _snapped(asked, limits)
    if made == asked:
        return Size(width=made[0], height=made[1])
    note = f"Size {_text(asked)} became {_text(made)}: this model works in multiples of {limits.multiple_of}."
    return Size(width=made[0], height=made[1], notes=(note,))


def _check_edge(edge: int, shown: str, limits: Limits) -> None:
    if edge <= 0:
        raise BadRequest(f"{shown} is no size: an edge must be at least {limits.min_edge} pixels.")
    if edge < limits.min_edge:
        raise BadRequest(
            f"{shown} is too small: the smallest edge of this model is {limits.min_edge} pixels."
            f"{_ratio_hint(shown)}"
        )
    if edge > limits.max_edge:
        raise BadRequest(f"{shown} is too large: the largest edge of this model is {limits.max_edge} pixels.")


def _ratio_hint(shown: str) -> str:
    found = re.fullmatch(r"([1-3]?\d)x([1-3]?\d)", shown)
    return f" Did you mean the ratio {found[1]}:{found[2]}?" if found else ""


def _snapped(asked: _Pair, limits: Limits) -> _Pair:
    step = limits.multiple_of
    low, high = -(-limits.min_edge // step) * step, limits.max_edge // step * step
    width, height = (min(max(_nearest(edge, step), low), high) for edge in asked)
    if width * height > limits.max_pixels:
        return asked[0] // step * step, asked[1] // step * step
    return width, height


def _of_shape(shape: tuple[float, float], pixels: int, limits: Limits) -> Size:
    ratio, step = _ratio_of(shape), limits.ratio_multiple_of or limits.multiple_of
    width, height = math.sqrt(pixels * ratio), math.sqrt(pixels / ratio)
    fitting = [
        pair
        for pair in product(_around(width, step), _around(height, step))
        if limits.min_edge <= min(pair) <= max(pair) <= limits.max_edge
        and math.prod(pair) <= limits.max_pixels
    ]
    if not fitting:
        raise BadRequest(
            f"The ratio {shape[0]:g}:{shape[1]:g} is too extreme: with this model's {pixels:,} pixels an "
            f"edge would leave {limits.min_edge} to {limits.max_edge}. Give pixels such as 1536x640."
        )
    best = min(
        fitting,
        key=lambda pair: abs(math.log(_ratio_of(pair) / ratio)) + abs(math.log(math.prod(pair) / pixels)),
    )
    return Size(width=best[0], height=best[1])


def _around(edge: float, step: int) -> _Pair:
    below = max(step, int(edge // step) * step)
    return below, below + step


def _nearest(edge: float, step: int) -> int:
    return math.floor(edge / step + 0.5) * step


def _text(pair: _Pair) -> str:
    return f"{pair[0]}x{pair[1]}"
