"""Changes to the embedded index, inside one transaction: entries in, edits folded in, deleted ones out."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from comfygen_mcp.edits import Edit, Edited, folded
from comfygen_mcp.index.base import Entry, Reading
from comfygen_mcp.index.edited import with_changes
from comfygen_mcp.index.entries import encodable
from comfygen_mcp.index.order import ID_BITS, rid_of, uuid_of
from comfygen_mcp.index.query_text import words_of
from comfygen_mcp.index.sqlite_rows import COLUMNS, cells_of, entry_of_row
from comfygen_mcp.index.sqlite_terms import Terms, token_of
from comfygen_mcp.index.sqlite_vocabulary import Vocabulary

_BETWEEN_TAGS = "\ue000"
"""A word that no text holds: a phrase does not reach from one tag into the next."""

_INSERT = f"INSERT INTO entry(rid, {', '.join(COLUMNS)}) VALUES(?{', ?' * len(COLUMNS)})"
_SELECT = f"SELECT rid, {', '.join(COLUMNS)} FROM entry WHERE id = ?"  # noqa: S608  (our own column names)
_WORDS = "INSERT INTO words(rowid, prompt, negative_prompt, tags, facets) VALUES(?, ?, ?, ?, ?)"
_NO_WORDS = (
    "INSERT INTO words(words, rowid, prompt, negative_prompt, tags, facets) VALUES('delete', ?, ?, ?, ?, ?)"
)
_TALLY = (
    "INSERT INTO tally(tid, audience, entries) VALUES(?, ?, ?) "
    "ON CONFLICT(tid, audience) DO UPDATE SET entries = entries + excluded.entries"
)
_EDITED = "INSERT OR REPLACE INTO edited(id, changes) VALUES(?, ?)"


def merged(connection: sqlite3.Connection, _: object, pages: int) -> bool:
    """Merge *pages* of full text, all pieces into one where it is negative; False when nothing was left."""
    before = connection.total_changes
    connection.execute("INSERT INTO words(words, rank) VALUES('merge', ?)", (pages,))
    # The statement itself counts as one.
    return connection.total_changes - before > 1


class Change:
    """The work of one transaction; `finish` before its end writes what was counted and met."""

    def __init__(self, connection: sqlite3.Connection, terms: Terms, vocabulary: Vocabulary) -> None:
        self._connection = connection
        self._terms = terms
        self._vocabulary = vocabulary
        self._words: set[str] = set()
        self._tally: Counter[tuple[int, int]] = Counter()

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries, or replace those of the same id, with the edits that came before them."""
        numbered = [(rid_of(uuid_of(entry.id), entry.created_at), entry) for entry in entries]
        # In ascending order, the full-text table gathers them in memory and writes them out together.
        for rid, entry in sorted(numbered, key=lambda pair: pair[0]):
            self._put(rid, entry)

    def edit(self, edits: Iterable[Edit]) -> None:
        """Fold edits in, whether their entries are here already or come later."""
        by_generation: dict[bytes, list[Edit]] = {}
        for edit in edits:
            by_generation.setdefault(uuid_of(edit.generation_id).bytes, []).append(edit)
        # In the order of time again, as in `add`.
        for identifier, its_edits in sorted(by_generation.items()):
            before = self._edited(identifier)
            after = folded(before, its_edits)
            if after != before:
                self._connection.execute(_EDITED, (identifier, after.model_dump_json()))
                if (row := self._row(identifier)) is not None:
                    self._put(row[0], entry_of_row(row[1:]))

    def clear(self) -> None:
        """Forget everything but the numbers of terms, which other processes remember."""
        self._connection.execute("INSERT INTO words(words) VALUES('delete-all')")
        self._connection.execute("DELETE FROM entry")
        self._connection.execute("DELETE FROM tally")
        self._connection.execute("DELETE FROM edited")
        self._connection.execute("DELETE FROM reading")

    def read_until(self, reading: Reading) -> None:
        """Remember how far the store was read."""
        sql = "INSERT OR REPLACE INTO reading(one, state) VALUES(1, ?)"
        self._connection.execute(sql, (reading.model_dump_json(),))

    def finish(self) -> None:
        counted = [(tid, audience, entries) for (tid, audience), entries in self._tally.items() if entries]
        self._connection.executemany(_TALLY, counted)
        self._vocabulary.add(self._connection, self._words)

    def _put(self, rid: int, entry: Entry) -> None:
        identifier = uuid_of(entry.id).bytes
        row = self._row(identifier)
        changes = self._edited(identifier)
        new = None if changes.deleted else encodable(with_changes(entry, changes))
        old = None if row is None else entry_of_row(row[1:])
        if old == new:
            return
        if row is not None and old is not None:
            self._remove(row[0], old)
        if new is not None:
            self._insert(self._free(rid), new)

    def _insert(self, rid: int, entry: Entry) -> None:
        self._connection.execute(_INSERT, (rid, *cells_of(entry)))
        self._connection.execute(_WORDS, (rid, *self._texts(entry, 1)))

    def _remove(self, rid: int, entry: Entry) -> None:
        self._connection.execute("DELETE FROM entry WHERE rid = ?", (rid,))
        self._connection.execute(_NO_WORDS, (rid, *self._texts(entry, -1)))

    def _texts(self, entry: Entry, counted: int) -> Sequence[str]:
        """Return the words of *entry*, column by column; its terms are counted on the way."""
        terms, audience = self._terms.of(self._connection, entry)
        for tid in terms:
            self._tally[tid, audience] += counted
        tags = f" {_BETWEEN_TAGS} ".join(self._cut(tag) for tag in entry.tags)
        facets = " ".join(token_of(tid) for tid in terms)
        return self._cut(entry.prompt), self._cut(entry.negative_prompt), tags, facets

    def _cut(self, text: str) -> str:
        words = words_of(text)
        self._words.update(words)
        return " ".join(words)

    def _free(self, rid: int) -> int:
        """Return *rid*, or where it is taken the next one of its millisecond."""
        while self._connection.execute("SELECT 1 FROM entry WHERE rid = ?", (rid,)).fetchone():
            rid = (rid >> ID_BITS << ID_BITS) | ((rid + 1) & (2**ID_BITS - 1))
        return rid

    def _row(self, identifier: bytes) -> Sequence[Any] | None:
        return self._connection.execute(_SELECT, (identifier,)).fetchone()

    def _edited(self, identifier: bytes) -> Edited:
        found = self._connection.execute("SELECT changes FROM edited WHERE id = ?", (identifier,)).fetchone()
        return Edited() if found is None else Edited.model_validate_json(found[0])
