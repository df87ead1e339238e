"""The expression of the full-text table for a query: what entries must hold, all of it quoted plain text."""

import sqlite3
from collections.abc import Iterator, Sequence

from comfygen_mcp.index.base import Query
from comfygen_mcp.index.facets import folded, wanted_by
from comfygen_mcp.index.query_text import Term, words_of
from comfygen_mcp.index.sqlite_terms import EVERY, SCORED, SHARED, find_term, owner_term, token_of
from comfygen_mcp.index.sqlite_vocabulary import words_beginning, words_ending, words_holding

MOST_BEGINNING = 2_000
"""Words that take the place of a beginning; with more, the full-text table itself is faster."""
MOST_HOLDING = 500
"""Words that take the place of a piece; with more, it is so frequent that any walk meets it soon."""


def match_of(
    connection: sqlite3.Connection, query: Query, terms: Sequence[Term], *, by_score: bool
) -> str | None:
    """Return the expression of *query*: "" for everything, None for nothing at all.

    *by_score*: entries without a score are left out here, and not one by one.
    """
    groups = [
        *(_phrases(connection, term) for term in terms if not term.excluded),
        *(_tokens(connection, (facet, folded(value))) for facet, value in wanted_by(query)),
        *_words_around(connection, words_of(query.contains or "")),
    ]
    if query.visible_to is not None:
        groups.append(_tokens(connection, owner_term(query.visible_to), SHARED))
    if by_score:
        groups.append(_tokens(connection, SCORED))
    without = [phrase for term in terms if term.excluded for phrase in _phrases(connection, term)]
    if without and not groups:
        groups.append(_tokens(connection, EVERY))
    if not all(groups):
        return None
    match = " AND ".join(_either(group) for group in groups)
    return f"({match}) NOT {_either(without)}" if without else match


def _phrases(connection: sqlite3.Connection, term: Term) -> list[str]:
    """Return *term* as phrases of which one must be there."""
    if not term.prefix:
        return [_quoted(*term.words)]
    *first, last = term.words
    words = words_beginning(connection, last, MOST_BEGINNING)
    return [f"{_quoted(*term.words)}*"] if words is None else [_quoted(*first, word) for word in words]


def _tokens(connection: sqlite3.Connection, *terms: tuple[str, str]) -> list[str]:
    """Return the words of those *terms* that any entry ever had."""
    found = (find_term(connection, *term) for term in terms)
    return [_quoted(token_of(tid)) for tid in found if tid is not None]


def _words_around(connection: sqlite3.Connection, piece: Sequence[str]) -> Iterator[list[str]]:
    """Yield what a prompt must hold to contain a piece of these words; the outer ones may be cut."""
    if len(piece) == 1:
        outer = [words_holding(connection, piece[0], MOST_HOLDING)]
    elif piece:
        outer = [
            words_ending(connection, piece[0], MOST_HOLDING),
            words_beginning(connection, piece[-1], MOST_HOLDING),
        ]
    else:
        return
    if inner := piece[1:-1]:
        yield [_quoted(*inner)]
    yield from ([_quoted(word) for word in words] for words in outer if words is not None)


def _either(phrases: Sequence[str]) -> str:
    return f"({' OR '.join(phrases)})"


def _quoted(*words: str) -> str:
    """Return *words* as plain text to the full-text syntax; words hold no quotation mark."""
    return f'"{" ".join(words)}"'
