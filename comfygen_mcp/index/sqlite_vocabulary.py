"""All words that were ever indexed: how beginnings and pieces of words become words that full text finds.

The full-text table alone would read every entry of every word that begins so before it yields the first.
"""

import sqlite3
from collections.abc import Iterable, Sequence

_REMEMBERED = 200_000
"""Words that this process knows to be in the table; the most frequent ones are soon among them again."""

_BEGINNING = "SELECT word FROM vocabulary WHERE word >= ? AND word < ? LIMIT ?"
_ENDING = "SELECT word FROM vocabulary WHERE substr(word, -length(?1)) = ?1 LIMIT ?2"
_HOLDING = "SELECT word FROM vocabulary WHERE instr(word, ?) LIMIT ?"


class Vocabulary:
    """Adds words, each once; none is ever taken away."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def forget(self) -> None:
        """Forget what was added in a transaction that did not come to its end."""
        self._known.clear()

    def add(self, connection: sqlite3.Connection, words: Iterable[str]) -> None:
        fresh = set(words) - self._known
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        connection.executemany(
            "INSERT OR IGNORE INTO vocabulary(word) VALUES(?)", ((word,) for word in fresh)
        )
        self._known |= fresh


def words_beginning(connection: sqlite3.Connection, beginning: str, most: int) -> Sequence[str] | None:
    """Return the words that begin so, or None when there are more than *most*; so do the others."""
    return _few(connection.execute(_BEGINNING, (beginning, beginning + "\U0010ffff", most + 1)), most)


def words_ending(connection: sqlite3.Connection, ending: str, most: int) -> Sequence[str] | None:
    return _few(connection.execute(_ENDING, (ending, most + 1)), most)


def words_holding(connection: sqlite3.Connection, piece: str, most: int) -> Sequence[str] | None:
    return _few(connection.execute(_HOLDING, (piece, most + 1)), most)


def _few(found: sqlite3.Cursor, most: int) -> Sequence[str] | None:
    words = [row[0] for row in found]
    return words if len(words) <= most else None
