"""The embedded index: one SQLite file per store and machine, shared by all processes there."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path

from comfygen_mcp.edits import Edit
from comfygen_mcp.index.base import MAX_PAGE, Count, Entry, Facet, Page, Query, Reading
from comfygen_mcp.index.order import uuid_of
from comfygen_mcp.index.queries import checked_limit
from comfygen_mcp.index.sqlite_change import Change, merged
from comfygen_mcp.index.sqlite_database import Database
from comfygen_mcp.index.sqlite_file import IndexFile
from comfygen_mcp.index.sqlite_lookup import entry_with, ids_beginning, reading_of, size_of
from comfygen_mcp.index.sqlite_search import counts_of, page_of

TIME_LIMIT_S = 2.0
"""Longest work of one search; only signs that are no words, looked for in everything, take that long."""
BUSY_S = 10.0
"""Longest wait for another process that is writing."""
BATCH = 1_000
"""Entries of one transaction at most, so that nobody waits long to write."""

MERGED_PAGES = 500
"""Pages of full text that one step of tidying up writes: a tenth of a second."""


class SqliteIndex:
    """An Index in *folder*, for the store of that name; the file is made when it is first used.

    The folder must be on a disk of this machine: SQLite's log does not work over a network.
    """

    def __init__(
        self, folder: Path, store_name: str, *, busy_s: float = BUSY_S, time_limit_s: float = TIME_LIMIT_S
    ) -> None:
        self._folder = folder
        self._database = Database(folder, store_name, busy_s=busy_s)
        self._time_limit_s = time_limit_s

    @property
    def name(self) -> str:
        return f"SQLite in {self._folder}"

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
        return await self._database.read(partial(entry_with, generation_id=generation_id))

    async def beginning_with(self, beginning: str, *, limit: int, visible_to: str | None = None) -> list[str]:
        checked_limit(limit)
        work = partial(ids_beginning, beginning=beginning, limit=limit, visible_to=visible_to)
        return await self._database.read(work)

    async def search(
        self, query: Query, *, limit: int, cursor: str | None = None, count: bool = False
    ) -> Page:
        checked_limit(limit)
        work = partial(page_of, query=query, limit=limit, cursor=cursor, count=count)
        return await self._database.read(work, within_s=self._time_limit_s)

    async def counts(
        self, facet: Facet, *, beginning: str = "", limit: int = 100, visible_to: str | None = None
    ) -> list[Count]:
        checked_limit(limit)
        work = partial(counts_of, facet=facet, beginning=beginning, limit=limit, visible_to=visible_to)
        return await self._database.read(work)

    async def size(self) -> int:
        return await self._database.read(size_of)

    async def all_entries(self, query: Query) -> AsyncGenerator[Entry]:
        """Yield all matches; each page sees its own moment, and none is cut by the clock."""
        newest = query.model_copy(update={"sort": "newest"})
        cursor: str | None = None
        while True:
            work = partial(page_of, query=newest, limit=MAX_PAGE, cursor=cursor, count=False)
            page = await self._database.read(work)
            for entry in page.entries:
                yield entry
            if (cursor := page.cursor) is None:
                return

    async def reading(self) -> Reading:
        return await self._database.read(reading_of)

    async def set_reading(self, reading: Reading) -> None:
        """Remember *reading*; when the store has been read to its end, searches are made faster."""
        before = await self.reading()
        await self._change(lambda change: change.read_until(reading))
        if reading.complete and not before.complete:
            await self._merge()

    async def clear(self) -> None:
        await self._change(Change.clear)

    async def aclose(self) -> None:
        await self._database.aclose()

    async def _merge(self) -> None:
        """Make one piece of the many that full text was written in; others may write between the steps."""
        pages = -MERGED_PAGES
        while await self._database.write(partial(merged, pages=pages)) or pages < 0:
            pages = MERGED_PAGES

    async def _change(self, work: Callable[[Change], None]) -> None:
        def changed(connection: sqlite3.Connection, file: IndexFile) -> None:
            change = Change(connection, file.terms, file.vocabulary)
            work(change)
            change.finish()

        await self._database.write(changed)
