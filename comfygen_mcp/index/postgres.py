"""The shared index: a PostgreSQL database that several machines search and fill."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from comfygen_mcp.edits import Edit
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import COUNTED, MAX_PAGE, Count, Entry, Facet, Page, Query, Reading
from comfygen_mcp.index.cursors import Position, cursor_of, position_of
from comfygen_mcp.index.facets import folded
from comfygen_mcp.index.order import uuid_of
from comfygen_mcp.index.pages import newest_page, ranked_from, ranked_page
from comfygen_mcp.index.postgres_change import Change
from comfygen_mcp.index.postgres_database import Database
from comfygen_mcp.index.postgres_plan import RARE, Plan, plan_of
from comfygen_mcp.index.postgres_rows import EVERY, audiences_of, entry_of, storable
from comfygen_mcp.index.postgres_schema import Connection
from comfygen_mcp.index.queries import checked_limit
from comfygen_mcp.index.ranking import CANDIDATES

BATCH = 1_000
"""Entries of one transaction at most, so that nobody waits long to write."""
TIME_LIMIT_S = 2.0
"""Longest work of one search."""
_DIGITS = 32

T = TypeVar("T")


class PostgresIndex:
    """An Index in the database at *url*, for the store of that name; tables are made when first needed."""

    def __init__(self, url: str, store_name: str) -> None:
        self._database = Database(url, store_name)

    @property
    def name(self) -> str:
        return self._database.name

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add entries; raises BadRequest for an id that is no UUID."""
        for entry in entries:
            uuid_of(entry.id)
        for start in range(0, len(entries), BATCH):
            await self._change(lambda change, part=entries[start : start + BATCH]: change.add(part))

    async def edit(self, edits: Sequence[Edit]) -> None:
        """Fold edits in; raises BadRequest for a generation id that is no UUID."""
        for edit in edits:
            uuid_of(edit.generation_id)
        for start in range(0, len(edits), BATCH):
            await self._change(lambda change, part=edits[start : start + BATCH]: change.edit(part))

    async def get(self, generation_id: str) -> Entry | None:
        try:
            identifier = uuid_of(generation_id)
        except BadRequest:
            return None
        rows = await self._rows("SELECT data FROM entry WHERE id = %s", (identifier,))
        return entry_of(rows[0][0]) if rows else None

    async def beginning_with(self, beginning: str, *, limit: int, visible_to: str | None = None) -> list[str]:
        checked_limit(limit)
        digits = beginning.replace("-", "").casefold()
        if len(digits) > _DIGITS or set(digits) - set("0123456789abcdef"):
            return []
        values: list[Any] = [digits.ljust(_DIGITS, "0"), digits.ljust(_DIGITS, "f")]
        query = "SELECT id FROM entry WHERE id BETWEEN %s::uuid AND %s::uuid"
        if visible_to is not None:
            query += " AND (owner = %s OR shared)"
            values.append(storable(visible_to))
        rows = await self._rows(f"{query} ORDER BY id DESC LIMIT %s", (*values, limit))
        return [str(row[0]) for row in rows]

    async def search(
        self, query: Query, *, limit: int, cursor: str | None = None, count: bool = False
    ) -> Page:
        checked_limit(limit)
        after = None if cursor is None else position_of(cursor, query)
        plan = plan_of(query)

        async def work(connection: Connection) -> Page:
            rare = await _is_rare(connection, plan)
            by_relevance = query.sort == "relevance" and any(not term.excluded for term in plan.terms)
            page = _ranked if by_relevance else _newest
            entries, position = await page(connection, plan, rare, limit, after)
            total = await _counted(connection, plan) if count else None
            return Page(
                entries=entries,
                cursor=None if position is None else cursor_of(position, query),
                total=None if total is None else min(total, COUNTED),
                more=total is not None and total > COUNTED,
            )

        return await self._database.read(work, within_s=TIME_LIMIT_S)

    async def counts(
        self, facet: Facet, *, beginning: str = "", limit: int = 100, visible_to: str | None = None
    ) -> list[Count]:
        checked_limit(limit)
        values: list[Any] = [facet, storable(folded(beginning))]
        seen = "TRUE"
        if visible_to is not None:
            keys = [f"={value}" if kind == "owner" else value for kind, value in audiences_of(visible_to)]
            seen = "audience = ANY(%s)"
            values.append(keys)
        query = (
            "SELECT min(value), sum(entries)::bigint FROM tally "  # noqa: S608  (our own words)
            f"WHERE facet = %s AND starts_with(folded, %s) AND {seen} "
            "GROUP BY folded HAVING sum(entries) > 0 ORDER BY 2 DESC, folded LIMIT %s"
        )
        rows = await self._rows(query, (*values, limit))
        return [Count(value=value, entries=entries) for value, entries in rows]

    async def size(self) -> int:
        query = "SELECT coalesce(sum(entries), 0)::bigint FROM tally WHERE facet = %s"
        return (await self._rows(query, (EVERY[0],)))[0][0]

    async def all_entries(self, query: Query) -> AsyncGenerator[Entry]:
        """Yield all matches; each page sees its own moment, and none is cut by the clock."""
        plan = plan_of(query)
        while True:
            found = await self._database.read(lambda connection, at=plan: _found(connection, at, MAX_PAGE))
            for _, entry in found:
                yield entry
            if len(found) < MAX_PAGE:
                return
            plan = plan.below(found[-1][0])

    async def reading(self) -> Reading:
        rows = await self._rows("SELECT state FROM reading", ())
        try:
            return Reading.model_validate_json(rows[0][0]) if rows else Reading()
        except ValidationError:
            return Reading()

    async def set_reading(self, reading: Reading) -> None:
        query = (
            "INSERT INTO reading(one, state) VALUES(1, %s) "
            "ON CONFLICT(one) DO UPDATE SET state = excluded.state"
        )

        async def work(connection: Connection) -> None:
            await connection.execute(query, (reading.model_dump_json(),))

        await self._database.write(work)

    async def clear(self) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute("TRUNCATE entry, tally, edited, reading")

        await self._database.write(work)

    async def aclose(self) -> None:
        await self._database.aclose()

    async def _change(self, work: Callable[[Change], Awaitable[None]]) -> None:
        async def inside(connection: Connection) -> None:
            change = Change(connection)
            await work(change)
            await change.finish()

        await self._database.write(inside)

    async def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return await self._database.read(lambda connection: _fetched(connection, query, values))


async def _newest(
    connection: Connection, plan: Plan, rare: bool, limit: int, after: Position | None
) -> tuple[tuple[Entry, ...], Position | None]:
    plan = plan if after is None else plan.below(after.rid)
    found = await _found(connection, plan, limit + 1, rare=rare)
    return newest_page(found, limit, more=len(found) > limit)


async def _ranked(
    connection: Connection, plan: Plan, rare: bool, limit: int, after: Position | None
) -> tuple[tuple[Entry, ...], Position | None]:
    below = ranked_from(after)
    found = await _found(connection, plan if below is None else plan.below(below), CANDIDATES, rare=rare)
    return ranked_page(found, plan.terms, limit, after)


async def _found(
    connection: Connection, plan: Plan, limit: int, *, rare: bool = False
) -> list[tuple[int, Entry]]:
    statement, values = plan.newest(rare=rare)
    rows = await _fetched(connection, f"{statement} LIMIT %s", (*values, limit))
    return [(row[0], entry_of(row[1])) for row in rows]


async def _counted(connection: Connection, plan: Plan) -> int:
    statement, values = plan.matches("1")
    query = f"SELECT count(*) FROM ({statement} LIMIT %s) AS found"  # noqa: S608  (our own words)
    return (await _fetched(connection, query, (*values, COUNTED + 1)))[0][0]


async def _is_rare(connection: Connection, plan: Plan) -> bool:
    """Ask PostgreSQL how many matches it expects; the answer takes less than a millisecond."""
    if not plan.conditions:
        return False
    statement, values = plan.matches("1")
    explained = (await _fetched(connection, f"EXPLAIN (FORMAT JSON) {statement}", values))[0][0]
    return cast("float", explained[0]["Plan"]["Plan Rows"]) <= RARE


async def _fetched(connection: Connection, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query.encode(), values)).fetchall()
