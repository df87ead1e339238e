"""Between an Entry and its row in PostgreSQL: the whole entry as JSON, and beside it what is searched by."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.facets import FACETS, audience_of, folded, values_of
from comfygen_mcp.index.query_text import Term, words_of

EVERY = ("every", "")
"""The term that each entry has."""
COLUMNS = (
    *("rid", "id", "data", "piece", "seed", "score", "job_id", "group_id", "parent_id"),
    *("owner", "shared", "terms", "words"),
)

_SEED_OFFSET = 2**63
_LAST_POSITION = 16_383
"""PostgreSQL numbers no word higher; phrases beyond it are not found."""
_LONGEST_WORD = 500
"""Characters; PostgreSQL takes 2,046 bytes."""
_LONGEST_VALUE = 400
"""Characters of a value in an index, of which PostgreSQL takes 2,700 bytes."""
_MOST_WORDS_BYTES = 400_000
"""What the different words of one entry may take; PostgreSQL takes 1 MiB with their positions."""


def cells_of(rid: int, entry: Entry) -> tuple[Any, ...]:
    """Return the row of *entry*, in the order of COLUMNS."""
    return (
        rid,
        entry.id,
        to_json(entry),
        storable(folded(entry.prompt)),
        packed_seed(entry.seed),
        entry.score,
        indexable(entry.job_id),
        None if entry.group_id is None else indexable(entry.group_id),
        None if entry.parent_id is None else indexable(entry.parent_id),
        None if entry.owner is None else storable(entry.owner),
        entry.shared,
        [token_of(*term[:2]) for term in terms_in(entry)],
        vector_of(entry),
    )


def to_json(entry: Entry) -> str:
    """Return the entry as JSON in ASCII: also what PostgreSQL's text cannot hold survives."""
    return json.dumps(entry.model_dump(), default=_moment)


def entry_of(data: str) -> Entry:
    # Not pydantic's own reader, which refuses the escapes of lone surrogates.
    return Entry.model_validate(json.loads(data))


def storable(text: str) -> str:
    """Return *text* as PostgreSQL can hold it: without NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode()


def indexable(text: str) -> str:
    """Return *text* as an index of PostgreSQL takes it: of a long one the beginning and a digest."""
    text = storable(text)
    if len(text) <= _LONGEST_VALUE:
        return text
    return f"{text[:_LONGEST_VALUE]}…{hashlib.sha256(text.encode()).hexdigest()}"


def packed_seed(seed: int) -> int:
    """Return *seed* moved by 2^63, which keeps the order."""
    return seed - _SEED_OFFSET


def terms_in(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Yield facet, value without case, and value: what the entry is filtered and counted by."""
    yield (*EVERY, "")
    yield (*_audience(entry), "")
    for facet in FACETS:
        for value in values_of(entry, facet):
            yield facet, indexable(folded(value)), storable(value)


def audience_key(entry: Entry) -> str:
    """Return under whose eyes the entry is counted: an owner's name behind `=`, `shared`, or nobody's."""
    facet, value = _audience(entry)
    return f"={value}" if facet == "owner" else value


def audiences_of(visible_to: str) -> list[tuple[str, str]]:
    """Return the terms of which an entry must have one to be seen by *visible_to*."""
    return [("owner", indexable(visible_to)), ("audience", "shared")]


def token_of(facet: str, value: str) -> str:
    return f"{facet}={value}"


def vector_of(entry: Entry) -> str:
    """Return the words of the entry as a tsvector's text; no phrase reaches from one text into the next."""
    found: dict[str, list[int]] = {}
    position, room = 1, _MOST_WORDS_BYTES
    for text in (entry.prompt, entry.negative_prompt, *entry.tags):
        for word in words_of(text):
            word = word[:_LONGEST_WORD]  # noqa: PLW2901  (the same word, as it is stored)
            room -= 0 if word in found else len(word.encode()) + 4
            if word in found or room > 0:
                found.setdefault(word, []).append(min(position, _LAST_POSITION))
            position += 1
        position += 1
    return " ".join(f"{_lexeme(word)}:{','.join(map(str, places[:255]))}" for word, places in found.items())


def text_query(terms: Iterable[Term]) -> str:
    """Return *terms* as a tsquery's text, "" when there are none."""
    parts = [f"{'!' if term.excluded else ''}({_phrase(term)})" for term in terms]
    return " & ".join(parts)


def _phrase(term: Term) -> str:
    words = [_lexeme(word[:_LONGEST_WORD]) for word in term.words]
    return " <-> ".join(words) + (":*" if term.prefix else "")


def _lexeme(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _audience(entry: Entry) -> tuple[str, str]:
    match audience_of(entry):
        case "everyone":
            return "audience", "shared"
        case "owner":
            return "owner", indexable(entry.owner or "")
        case _:
            return "audience", ""


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} has no place in an entry")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
