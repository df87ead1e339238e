"""Searching the embedded index: pages, counts of matches, and values of facets."""

import sqlite3
from collections.abc import Iterator
from typing import Any, TypeVar

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import COUNTED, Count, Entry, Facet, Page, Query
from comfygen_mcp.index.cursors import Position, cursor_of, position_of
from comfygen_mcp.index.facets import folded
from comfygen_mcp.index.pages import Found, newest_page, ranked_from, ranked_page
from comfygen_mcp.index.ranking import CANDIDATES
from comfygen_mcp.index.sqlite_file import is_interruption
from comfygen_mcp.index.sqlite_plan import Plan, plan_of
from comfygen_mcp.index.sqlite_rows import COLUMNS, entry_of_row
from comfygen_mcp.index.sqlite_terms import SHARED, find_term, owner_term

T = TypeVar("T")

_ENTRY = ", ".join(f"e.{name}" for name in ("rid", *COLUMNS))

_COUNTS = """
SELECT term.value, sum(tally.entries) FROM term JOIN tally USING(tid)
WHERE term.facet = ? AND term.folded >= ? AND term.folded < ? AND {audience}
GROUP BY term.tid HAVING sum(tally.entries) > 0 ORDER BY 2 DESC, term.folded LIMIT ?
"""


def page_of(
    connection: sqlite3.Connection, query: Query, *, limit: int, cursor: str | None, count: bool
) -> Page:
    """Return one page of *query*; raises BadRequest when nothing was found before the time was up."""
    after = None if cursor is None else position_of(cursor, query)
    plan = plan_of(connection, query)
    if plan.nothing:
        return Page(entries=(), total=0 if count else None)
    by_relevance = query.sort == "relevance" and any(not term.excluded for term in plan.terms)
    page = _ranked if by_relevance else _newest
    entries, position = page(connection, plan, limit, after)
    total = _counted(connection, plan) if count else None
    return Page(
        entries=entries,
        cursor=None if position is None else cursor_of(position, query),
        total=None if total is None else min(total, COUNTED),
        more=total is not None and total > COUNTED,
    )


def counts_of(
    connection: sqlite3.Connection, facet: Facet, *, beginning: str, limit: int, visible_to: str | None
) -> list[Count]:
    """Return the most frequent values of *facet*, from the tallies that every change keeps."""
    begin = folded(beginning)
    audience = "1"
    values: list[Any] = [facet, begin, begin + "\U0010ffff"]
    if visible_to is not None:
        audience = "tally.audience IN (?, ?)"
        values += [find_term(connection, *term) for term in (owner_term(visible_to), SHARED)]
    rows = connection.execute(_COUNTS.replace("{audience}", audience), (*values, limit)).fetchall()
    return [Count(value=value, entries=entries) for value, entries in rows]


def _newest(
    connection: sqlite3.Connection, plan: Plan, limit: int, after: Position | None
) -> tuple[tuple[Entry, ...], Position | None]:
    found: list[Found] = []
    cut = _cut_short(_rows(connection, plan if after is None else plan.below(after.rid), limit + 1), found)
    if cut and not found:
        raise BadRequest(
            "The search took too long and found nothing so far. Narrow it: by whole words in `text`, by a "
            "model, a tag or a time span."
        )
    return newest_page(found, limit, more=cut or len(found) > limit)


def _ranked(
    connection: sqlite3.Connection, plan: Plan, limit: int, after: Position | None
) -> tuple[tuple[Entry, ...], Position | None]:
    """Rank the newest matches; what came after the first page was shown is not among them."""
    below = ranked_from(after)
    found = list(_rows(connection, plan if below is None else plan.below(below), CANDIDATES))
    return ranked_page(found, plan.terms, limit, after)


def _rows(connection: sqlite3.Connection, plan: Plan, limit: int) -> Iterator[Found]:
    sql, values = plan.entries(_ENTRY)
    for row in connection.execute(f"{sql} LIMIT ?", (*values, limit)):
        yield row[0], entry_of_row(row[1:])


def _counted(connection: sqlite3.Connection, plan: Plan) -> int:
    """Count matches up to one more than COUNTED; when the time is up, there are more."""
    sql, values = plan.numbers()
    found: list[Any] = []
    cut = _cut_short(connection.execute(f"{sql} LIMIT ?", (*values, COUNTED + 1)), found)
    return COUNTED + 1 if cut else len(found)


def _cut_short(rows: Iterator[T], found: list[T]) -> bool:
    """Move *rows* into *found*; tell whether the time was up before their end."""
    try:
        # One after the other, so that what was found until then is kept.
        found.extend(rows)
    except sqlite3.OperationalError as error:
        if not is_interruption(error):
            raise
        return True
    return False
