"""Looking at JSON values whose shape nobody has promised."""

from typing import Any, cast


def as_list(value: Any) -> list[Any] | None:
    return cast("list[Any]", value) if isinstance(value, list) else None


def as_dict(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def link_of(value: Any) -> tuple[str, int] | None:
    """Return the node id and slot that a link of a validated graph names; None for a plain value."""
    pair = as_list(value)
    return (pair[0], pair[1]) if pair and len(pair) == 2 and isinstance(pair[0], str) else None
