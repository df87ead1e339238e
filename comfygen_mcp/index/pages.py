"""Pages out of rows: cut at a limit, in the order of time or of relevance, with what leads on."""

from collections.abc import Sequence
from typing import TypeAlias

from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.cursors import Position
from comfygen_mcp.index.order import HIGHEST_RID
from comfygen_mcp.index.query_text import Term
from comfygen_mcp.index.ranking import relevance

Found: TypeAlias = tuple[int, Entry]
"""An entry with the number that sorts it."""


def newest_page(
    found: Sequence[Found], limit: int, *, more: bool
) -> tuple[tuple[Entry, ...], Position | None]:
    """Return the first *limit* of *found*, and where the next page begins when there is *more*."""
    shown = found[:limit]
    return tuple(entry for _, entry in shown), Position(shown[-1][0]) if more and shown else None


def ranked_from(after: Position | None) -> int | None:
    """Return below which number the candidates lie: what came after the first page is not among them."""
    return None if after is None else min(after.newest, HIGHEST_RID - 1) + 1


def ranked_page(
    found: Sequence[Found], terms: Sequence[Term], limit: int, after: Position | None
) -> tuple[tuple[Entry, ...], Position | None]:
    """Return the page of *found*, the newest matches, that follows *after* in the order of relevance."""
    if not found:
        return (), None
    scored = ((relevance(terms, entry), rid, entry) for rid, entry in found)
    ranked = sorted(scored, reverse=True, key=_rank)
    if after is not None:
        ranked = [one for one in ranked if _rank(one) < (after.score, after.rid)]
    shown = ranked[:limit]
    more = len(ranked) > limit
    last = Position(rid=shown[-1][1], newest=found[0][0], score=shown[-1][0]) if more else None
    return tuple(entry for _, _, entry in shown), last


def _rank(ranked: tuple[float, int, Entry]) -> tuple[float, int]:
    return ranked[0], ranked[1]
