"""Reads the axes that a caller wrote: `{"steps": [4, 8], "loras": ["none", "ink:0.8"]}`."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, cast

from comfygen_mcp.compare import AXES, NONE, Axes
from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.loras import STRENGTH_LIMIT, parse_loras
from comfygen_mcp.models import LoraUse

T = TypeVar("T")


def parse_axes(written: Mapping[str, object] | None) -> Axes:
    """Return the axes; a single value may stand without its list. Raises BadRequest and says how."""
    given = {name: value for name, value in (written or {}).items() if value is not None}
    for name in given:
        if name not in AXES:
            raise UnknownName("axis", name, AXES, hint='For example {"steps": [4, 8, 12]}.')
    values: dict[str, Any] = {name: _values(name, value) for name, value in given.items()}
    return Axes.model_validate(values)


def with_shared(axes: Axes, **shared: object) -> Axes:
    """Return *axes* with what all cells share, by the axis' name; raises BadRequest where both are given.

    An argument of None, or an empty list, was not given.
    """
    given = {name: value for name, value in shared.items() if value is not None and value != []}
    for name, value in given.items():
        values = getattr(axes, name)
        if values:
            one = "models" if name == "models" else name.removesuffix("s") if name == "seeds" else name
            raise BadRequest(
                f"{one}={str(value)[:80]} contradicts the axis {name} = {_shown(values)}. Give {one} for all "
                f"cells, or the axis, not both."
            )
    return axes.model_copy(update={name: getattr(parse_axes(given), name) for name in given})


def _values(axis: str, written: object) -> tuple[object, ...]:
    listed = cast("Sequence[object]", written) if _is_list(written) else (written,)
    if not listed:
        raise BadRequest(f"The axis {axis} is empty. Give it two or more values, or leave it out.")
    # The first of equal values stays: a dict keeps the order.
    return tuple(dict.fromkeys(_READ[axis](value) for value in listed)) if axis != "seeds" else _seeds(listed)


def _is_list(written: object) -> bool:
    return isinstance(written, Sequence) and not isinstance(written, str | bytes)


def _name(axis: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        return _refuse(axis, value, "a name")

    return read


def _preset(value: object) -> str | None:
    name = _name("presets")(value) if value is not None else NONE
    return None if name == NONE else name


def _loras(value: object) -> tuple[LoraUse, ...]:
    """Return the LoRAs of one cell: one, several in a list, or none."""
    return () if value in (None, NONE) else parse_loras(value)


def _seeds(values: Sequence[object]) -> tuple[int | str, ...]:
    """Return the seeds as they are written; each 0 or -1 stands for one of its own that is drawn."""
    drawn = (0, -1, "0", "-1")
    seeds = [_seed(value) for value in values]
    return tuple(seed for n, seed in enumerate(seeds) if seed in drawn or seed not in seeds[:n])


def _seed(value: object) -> int | str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    return _refuse("seeds", value, "a whole number")


def _whole(axis: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = _number(value)
        return int(number) if number is not None and number.is_integer() else _refuse(axis, value, _WHOLE)

    return read


def _real(axis: str, limit: float = math.inf) -> Callable[[object], float]:
    def read(value: object) -> float:
        number = _number(value)
        if number is None:
            return _refuse(axis, value, "a number")
        if abs(number) > limit:
            return _refuse(axis, value, f"a number from -{limit:g} to {limit:g}")
        return number

    return read


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _refuse(axis: str, value: object, wanted: str) -> NoReturn:
    raise BadRequest(f"{str(value)[:80]!r} on the axis {axis} is not {wanted}.")


def _shown(values: Sequence[object]) -> str:
    return str(list(values))[:80]


_WHOLE = "a whole number"
_READ: Mapping[str, Callable[[object], object]] = {
    "models": _name("models"),
    "presets": _preset,
    "loras": _loras,
    "strengths": _real("strengths", STRENGTH_LIMIT),
    "steps": _whole("steps"),
    "cfg": _real("cfg"),
}
