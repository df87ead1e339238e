"""The order in which letters stand on a line when some are written from right to left (Unicode Annex 9).

Only the implicit rules: marks that steer direction by hand are removed from labels, because they can make one
text look like another.
"""

import unicodedata
from collections.abc import Iterator, Sequence

_SOLID = ("L", "R", "EN", "AN")


def direction_levels(clusters: Sequence[str]) -> tuple[int, list[int]]:
    """Return the paragraph's level (1 when it is written from right to left) and one level per cluster."""
    classes = [unicodedata.bidirectional(cluster[0]) or "L" for cluster in clusters]
    base = next((int(c != "L") for c in classes if c in ("L", "R", "AL")), 0)
    _resolve_numbers(classes, base)
    _resolve_neutrals(classes, base)
    return base, [_level(c, base) for c in classes]


def visual_order(levels: Sequence[int]) -> list[int]:
    """Return the places of a line's clusters from left to right (rule L2)."""
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        for start, end in _stretches([levels[place] >= level for place in order]):
            order[start:end] = reversed(order[start:end])
    return order


def _resolve_numbers(classes: list[str], base: int) -> None:
    """Rules W1 to W7, in place."""
    strong = before = "R" if base else "L"
    for place, given in enumerate(classes):
        kind = before if given == "NSM" else given
        if kind == "EN" and strong == "AL":
            kind = "AN"
        if kind in ("L", "R", "AL"):
            strong = kind
        classes[place] = before = kind
    _join_separators(classes)
    _join_terminators(classes)
    strong = "R" if base else "L"
    for place, kind in enumerate(classes):
        if kind in ("L", "R", "AL"):
            strong = classes[place] = "R" if kind == "AL" else kind
        elif kind == "EN" and strong == "L":
            classes[place] = "L"


def _join_separators(classes: list[str]) -> None:
    for place in range(1, len(classes) - 1):
        before, kind, after = classes[place - 1 : place + 2]
        if before == after and (kind, before) in (("CS", "EN"), ("CS", "AN"), ("ES", "EN")):
            classes[place] = before


def _join_terminators(classes: list[str]) -> None:
    for start, end in _stretches([kind == "ET" for kind in classes]):
        if "EN" in (*classes[max(start - 1, 0) : start], *classes[end : end + 1]):
            classes[start:end] = ["EN"] * (end - start)


def _resolve_neutrals(classes: list[str], base: int) -> None:
    """Rules N1 and N2, in place: between two alike, neutrals are like them; else like the paragraph."""
    around = "R" if base else "L"
    for start, end in _stretches([kind not in _SOLID for kind in classes]):
        before = _side(classes[start - 1]) if start else around
        after = _side(classes[end]) if end < len(classes) else around
        classes[start:end] = [before if before == after else around] * (end - start)


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _level(kind: str, base: int) -> int:
    if kind == "L":
        return 2 * base
    return 1 if kind == "R" else 2


def _stretches(wanted: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield start and end of every stretch of True."""
    start = None
    for place, is_wanted in enumerate([*wanted, False]):
        if is_wanted and start is None:
            start = place
        elif not is_wanted and start is not None:
            yield start, place
            start = None
