"""Changes to a shared index, inside one transaction; all who change it take turns."""

import uuid
from collections import Counter
from collections.abc import Iterable

from comfygen_mcp.edits import Edit, Edited, folded
from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.edited import with_changes
from comfygen_mcp.index.order import ID_BITS, rid_of, uuid_of
from comfygen_mcp.index.postgres_rows import COLUMNS, audience_key, cells_of, entry_of, terms_in
from comfygen_mcp.index.postgres_schema import Connection

_INSERT = f"INSERT INTO entry({', '.join(COLUMNS)}) VALUES({', '.join(['%s'] * len(COLUMNS))})"
_TALLY = (
    "INSERT INTO tally(facet, folded, audience, value, entries) VALUES(%s, %s, %s, %s, %s) "
    "ON CONFLICT(facet, folded, audience) DO UPDATE SET entries = tally.entries + excluded.entries"
)
_EDITED = (
    "INSERT INTO edited(id, changes) VALUES(%s, %s) ON CONFLICT(id) DO UPDATE SET changes = excluded.changes"
)


class Change:
    """The work of one transaction; `finish` before its end writes what was counted."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tally: Counter[tuple[str, str, str, str]] = Counter()

    async def add(self, entries: Iterable[Entry]) -> None:
        """Add entries, or replace those of the same id, with the edits that came before them."""
        given = {uuid_of(entry.id): entry for entry in entries}
        rows, edited = await self._rows(list(given)), await self._edited(list(given))
        for identifier, entry in given.items():
            await self._put(rows.get(identifier), entry, edited.get(identifier, Edited()))

    async def edit(self, edits: Iterable[Edit]) -> None:
        """Fold edits in, whether their entries are here already or come later."""
        given: dict[uuid.UUID, list[Edit]] = {}
        for edit in edits:
            given.setdefault(uuid_of(edit.generation_id), []).append(edit)
        rows, before = await self._rows(list(given)), await self._edited(list(given))
        for identifier, its_edits in given.items():
            known = before.get(identifier, Edited())
            after = folded(known, its_edits)
            if after == known:
                continue
            await self._connection.execute(_EDITED, (identifier, after.model_dump_json()))
            if identifier in rows:
                await self._put(rows[identifier], rows[identifier], after)

    async def finish(self) -> None:
        counted = [(*key, entries) for key, entries in sorted(self._tally.items()) if entries]
        if counted:
            async with self._connection.cursor() as cursor:
                await cursor.executemany(_TALLY, counted)

    async def _put(self, old: Entry | None, entry: Entry, changes: Edited) -> None:
        new = None if changes.deleted else with_changes(entry, changes)
        if old == new:
            return
        if old is not None:
            await self._connection.execute("DELETE FROM entry WHERE id = %s", (uuid_of(old.id),))
            self._count(old, -1)
        if new is not None:
            rid = await self._free(rid_of(uuid_of(new.id), new.created_at))
            await self._connection.execute(_INSERT.encode(), cells_of(rid, new))
            self._count(new, 1)

    def _count(self, entry: Entry, by: int) -> None:
        for facet, fold, value in terms_in(entry):
            self._tally[facet, fold, audience_key(entry), value] += by

    async def _free(self, rid: int) -> int:
        """Return *rid*, or where it is taken the next one of its millisecond."""
        while await self._is_taken(rid):
            rid = (rid >> ID_BITS << ID_BITS) | ((rid + 1) & (2**ID_BITS - 1))
        return rid

    async def _is_taken(self, rid: int) -> bool:
        found = await self._connection.execute("SELECT 1 FROM entry WHERE rid = %s", (rid,))
        return await found.fetchone() is not None

    async def _rows(self, identifiers: list[uuid.UUID]) -> dict[uuid.UUID, Entry]:
        query = "SELECT id, data FROM entry WHERE id = ANY(%s)"
        found = await self._connection.execute(query, (identifiers,))
        return {row[0]: entry_of(row[1]) for row in await found.fetchall()}

    async def _edited(self, identifiers: list[uuid.UUID]) -> dict[uuid.UUID, Edited]:
        query = "SELECT id, changes FROM edited WHERE id = ANY(%s)"
        found = await self._connection.execute(query, (identifiers,))
        return {row[0]: Edited.model_validate_json(row[1]) for row in await found.fetchall()}
