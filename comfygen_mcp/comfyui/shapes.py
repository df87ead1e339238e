"""Safe looks into foreign JSON: the wanted shape, or its empty form."""

from collections.abc import Mapping
from typing import Any, cast


def mapping(value: Any) -> Mapping[str, Any]:
    """Return *value* when it is a JSON object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return *value* when it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """Return *value* when it is a non-empty string."""
    return value if isinstance(value, str) and value else None


def whole(value: Any) -> int | None:
    """Return *value* as an integer when it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN test


def strings(value: Any) -> tuple[str, ...]:
    """Return the strings of a JSON array."""
    return tuple(entry for entry in items(value) if isinstance(entry, str))


def choices(declared: Any) -> tuple[Any, ...]:
    """Return the valid values of a declared list input: `[[...], {}]` or `["COMBO", {"options": [...]}]`."""
    first, second = [*items(declared), None, None][:2]
    return tuple(items(first) or items(mapping(second).get("options")))


def options(declared: Any) -> Mapping[str, Any]:
    """Return the bounds and defaults of a declared input: the second part of its declaration."""
    return mapping([*items(declared), None, None][1])
