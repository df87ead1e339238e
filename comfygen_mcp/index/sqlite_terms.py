"""Facet values as numbered terms; in the full-text table each is one character of a private Unicode plane."""

import sqlite3
from collections.abc import Iterator

from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.facets import FACETS, audience_of, folded, values_of

_PLANE, _DIGITS = 0xF0000, 0xFFFE

EVERY = ("every", "")
"""The term that each entry has."""
SCORED = ("scored", "")
"""The term of entries with a score."""
SHARED = ("audience", "shared")
NOBODY = ("audience", "")


def token_of(tid: int) -> str:
    """Return the word that stands for a term; texts hold none of its characters (query_text drops them)."""
    high, low = divmod(tid, _DIGITS)
    return (token_of(high - 1) if high else "") + chr(_PLANE + low)


def owner_term(owner: str) -> tuple[str, str]:
    """Return the term of an owner's entries; the case of a name counts here."""
    return ("owner", owner)


def find_term(connection: sqlite3.Connection, facet: str, value: str) -> int | None:
    """Return the number of a term, or None when no entry ever had it."""
    found = connection.execute(
        "SELECT tid FROM term WHERE facet = ? AND folded = ?", (facet, value)
    ).fetchone()
    return None if found is None else found[0]


class Terms:
    """Numbers of terms, given when first met and never taken back."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Forget what was given in a transaction that did not come to its end."""
        self._known.clear()

    def of(self, connection: sqlite3.Connection, entry: Entry) -> tuple[list[int], int]:
        """Return the terms of *entry*, and the one of its audience among them."""
        terms = {self._number(connection, facet, fold, value) for facet, fold, value in _terms_in(entry)}
        audience = self._number(connection, *_audience(entry))
        return sorted({*terms, audience}), audience

    def _number(self, connection: sqlite3.Connection, facet: str, fold: str, value: str = "") -> int:
        known = self._known.get((facet, fold))
        if known is None:
            known = find_term(connection, facet, fold)
        if known is None:
            insert = "INSERT INTO term(facet, folded, value) VALUES(?, ?, ?) RETURNING tid"
            known = connection.execute(insert, (facet, fold, value)).fetchone()[0]
        self._known[facet, fold] = known
        return known


def _terms_in(entry: Entry) -> Iterator[tuple[str, str, str]]:
    yield (*EVERY, "")
    if entry.score is not None:
        yield (*SCORED, "")
    if entry.owner is not None:
        yield (*owner_term(entry.owner), entry.owner)
    for facet in FACETS:
        for value in values_of(entry, facet):
            yield facet, folded(value), value


def _audience(entry: Entry) -> tuple[str, str]:
    match audience_of(entry):
        case "everyone":
            return SHARED
        case "owner":
            return owner_term(entry.owner or "")
        case _:
            return NOBODY
