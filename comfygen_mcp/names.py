"""Nearest names: what somebody probably meant."""

import difflib
from collections.abc import Iterable


def nearest_names(name: str, known: Iterable[str], *, limit: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return up to *limit* known names, nearest first; case and `-_.` do not count as differences."""
    by_fold: dict[str, list[str]] = {}
    for candidate in known:
        by_fold.setdefault(_fold(candidate), []).append(candidate)
    wanted = _fold(name)[:200]
    close = difflib.get_close_matches(wanted, by_fold, n=limit, cutoff=cutoff)
    inside = [fold for fold in by_fold if wanted and wanted in fold and fold not in close]
    return [candidate for fold in [*close, *inside] for candidate in by_fold[fold]][:limit]


def _fold(name: str) -> str:
    return name.casefold().translate({ord(c): None for c in "-_. "})
