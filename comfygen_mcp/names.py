"""Nearest names: what somebody probably meant."""

import difflib
from collections.abc import Iterable
from itertools import pairwise


def nearest_names(name: str, known: Iterable[str], *, limit: int = 3, cutoff: float = 0.5) -> list[str]:
    """Return up to *limit* known names, nearest first; case and `-_.` do not count as differences."""
    by_fold: dict[str, list[str]] = {}
    for candidate in known:
        by_fold.setdefault(_fold(candidate), []).append(candidate)
    wanted = _fold(name)[:200]
    close = difflib.get_close_matches(wanted, by_fold, n=limit, cutoff=cutoff)
    inside = [fold for fold in by_fold if wanted and wanted in fold and fold not in close]
    return [candidate for fold in [*close, *inside] for candidate in by_fold[fold]][:limit]


def telling_beginnings(names: Iterable[str], *, shortest: int = 1) -> list[str]:
    """Return of each name, in order, as much as tells it from the others, *shortest* characters at least."""
    known = sorted(set(names))
    # Whatever a name has in common with any other, it has with one of its neighbours.
    shared = [0, *(_shared(one, other) for one, other in pairwise(known)), 0]
    return [name[: max(shortest, 1 + max(shared[n : n + 2]))] for n, name in enumerate(known)]


def _shared(one: str, other: str) -> int:
    """Return how many characters two names begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _fold(name: str) -> str:
    return name.casefold().translate({ord(c): None for c in "-_. "})
