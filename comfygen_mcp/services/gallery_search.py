"""What a search asks for in words - names, dates, ranges - made into a query, or refused with reasons."""

import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Literal, get_args

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.index.base import MAX_TEXT, Facet, Query, Sort
from comfygen_mcp.index.queries import query_of
from comfygen_mcp.models import SEED_MAX, JsonValue, Kind, Record
from comfygen_mcp.services.gallery import Gallery

KNOWN_NAMED = 200
"""So many values of a facet are looked through for the one that was meant, per beginning."""

_AGO = re.compile(r"(\d{1,5})\s*(h|d|w)")
_HOURS = {"h": 1, "d": 24, "w": 168}
_RANGE = re.compile(r"(\d+)\s*(?:-|\.\.)\s*(\d+)")


class Filters(Record):
    """What is looked for, as callers write it.

    *model* is a model file or a name from list_models; files may be named without folder and extension.
    *seed* is one or a range, `100-200`. *since* and *until* are a date (that day included), an ISO time, or
    how long ago: `12h`, `7d`, `2w`, `today`, `yesterday`.
    """

    text: str = ""
    contains: str | None = None
    model: str | None = None
    backend: str | None = None
    workflow: str | None = None
    lora: str | None = None
    preset: str | None = None
    kind: str | None = None
    tags: tuple[str, ...] = ()
    seed: int | str | None = None
    min_score: float | None = None
    since: str | None = None
    until: str | None = None
    group: str | None = None
    parent: str | None = None
    sort: Sort = "newest"


class GallerySearch:
    """Reads filters for one caller, *visible_to*; *now* is what "today" means."""

    def __init__(self, gallery: Gallery, *, visible_to: str | None, now: Callable[[], datetime]) -> None:
        self._gallery = gallery
        self._visible_to = visible_to
        self._now = now

    async def query(self, filters: Filters) -> Query:
        """Return the query that *filters* mean; raises BadRequest, or UnknownName with the nearest values."""
        _check_length("text", filters.text)
        _check_length("contains", filters.contains or "")
        low, high = seeds(filters.seed)
        names = {
            facet: await self._value(facet, wanted) for facet, wanted in _named(filters) if wanted is not None
        }
        fields: dict[str, JsonValue] = {
            **await self._model(filters.model),
            **names,
            **({"seed": low} if low == high else {"seed_min": low, "seed_max": high}),
        }
        fields |= {
            "text": filters.text,
            "contains": filters.contains or None,
            "kind": _kind(filters.kind),
            "tags": tuple([await self._value("tag", tag) for tag in filters.tags]),
            "score_min": filters.min_score,
            "since": moment(filters.since, "since", self._now()),
            "until": moment(filters.until, "until", self._now(), end=True),
            "group_id": _whole_id("group", filters.group),
            "parent_id": await self._parent(filters.parent),
            "visible_to": self._visible_to,
            "sort": filters.sort,
        }
        return query_of(fields)

    async def _model(self, wanted: str | None) -> dict[str, str]:
        """Return the model file, or else the backend, that is called so."""
        if wanted is None:
            return {}
        facets: tuple[Literal["model", "backend"], ...] = ("model", "backend")
        known: dict[str, list[str]] = {}
        for facet in facets:
            found, known[facet] = await self._found(facet, wanted)
            if found is not None:
                return {facet: found}
        raise UnknownName("model", wanted, [*known["backend"], *known["model"]], hint=_HINT)

    async def _value(self, facet: Facet, wanted: str) -> str:
        found, known = await self._found(facet, wanted)
        if found is None:
            raise UnknownName(facet, wanted, known, hint=_HINT)
        return found

    async def _found(self, facet: Facet, wanted: str) -> tuple[str | None, list[str]]:
        """Return the value that is meant, and those that it was looked for among."""
        # Itself first: of very many values that begin alike, only the most frequent are looked through.
        if wanted and _is_text(wanted) and await self._is_there(facet, wanted):
            return wanted, []
        known = await self._values(facet, wanted)
        return _match(wanted, known), known

    async def _is_there(self, facet: Facet, wanted: str) -> bool:
        fields: dict[str, JsonValue] = {"tags": (wanted,)} if facet == "tag" else {facet: wanted}
        query = Query(**fields, visible_to=self._visible_to)
        return bool((await self._gallery.search(query, limit=1)).entries)

    async def _values(self, facet: Facet, wanted: str) -> list[str]:
        """Return the values that begin as *wanted* does, as a bare file name too, then the most frequent."""
        frequent = await self._beginning(facet, "")
        if not _is_text(wanted):
            return frequent
        folders = dict.fromkeys(value[: -len(name)] for value in frequent if (name := _file_of(value)))
        beginnings = [f"{folder}{wanted}{end}" for folder in ("", *folders) for end in (".", "")]
        near = [value for one in dict.fromkeys(beginnings) for value in await self._beginning(facet, one)]
        return list(dict.fromkeys([*near, *frequent]))

    async def _beginning(self, facet: Facet, beginning: str) -> list[str]:
        counts = await self._gallery.counts(
            facet, beginning=beginning, limit=KNOWN_NAMED, visible_to=self._visible_to
        )
        return [count.value for count in counts]

    async def _parent(self, wanted: str | None) -> str | None:
        if wanted is None:
            return None
        try:
            # As it is: the children of what was deleted are still there.
            return str(uuid.UUID(wanted))
        except ValueError:
            return (await self._gallery.entry(wanted, visible_to=self._visible_to)).id


_HINT = "These are the values in the gallery, the most frequent first."


def seeds(wanted: int | str | None) -> tuple[int | None, int | None]:
    """Return the smallest and the largest seed that *wanted* means; raises BadRequest."""
    if wanted is None:
        return None, None
    text = str(wanted).strip()
    span = _RANGE.fullmatch(text)
    first, last = (span[1], span[2]) if span else (text, text)
    if not (first.isascii() and first.isdecimal() and len(first) <= 20 and len(last) <= 20):
        raise BadRequest(f"seed={text[:60]!r} is no seed. Give one, such as 42, or a range, such as 100-200.")
    low, high = sorted((int(first), int(last)))
    if high > SEED_MAX:
        raise BadRequest(f"seed={text[:60]!r} is out of range: the largest is {SEED_MAX}.")
    return low, high


def moment(wanted: str | None, name: str, now: datetime, *, end: bool = False) -> datetime | None:
    """Return the time that *wanted* means, in UTC; of a day its beginning, or its *end*."""
    if wanted is None:
        return None
    text = wanted.strip().casefold()
    if ago := _AGO.fullmatch(text):
        return now - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
    try:
        day = _day(text, now)
        if day is not None:
            return datetime.combine(day, time(), UTC) + timedelta(days=1 if end else 0)
        read = datetime.fromisoformat(text.upper())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name}={wanted[:60]!r} is no time. Give a date (2026-11-21), a time in UTC (2026-11-21T14:30), "
            "or how long ago: 12h, 7d, 2w, today, yesterday."
        ) from None


def _day(text: str, now: datetime) -> date | None:
    match text:
        case "today":
            return now.date()
        case "yesterday":
            return now.date() - timedelta(days=1)
        case _:
            return date.fromisoformat(text) if len(text) == 10 else None


def _named(filters: Filters) -> tuple[tuple[Facet, str | None], ...]:
    return (
        ("backend", filters.backend),
        ("workflow", filters.workflow),
        ("lora", filters.lora),
        ("preset", filters.preset),
    )


def _kind(wanted: str | None) -> Kind | None:
    if wanted is None:
        return None
    kinds = {str(kind): kind for kind in get_args(Kind)}
    if wanted.casefold() not in kinds:
        raise UnknownName("kind", wanted, kinds)
    return kinds[wanted.casefold()]


def _match(wanted: str, known: Iterable[str]) -> str | None:
    """Return the value that *wanted* is, case aside, or else the only file whose bare name it is."""
    folded = wanted.casefold()
    exact = [value for value in known if value.casefold() == folded]
    bare = [value for value in known if folded in _names_of(value)]
    if exact:
        return exact[0]
    if len(bare) > 1:
        more = f" and {len(bare) - 10} more" if len(bare) > 10 else ""
        raise BadRequest(f"{wanted[:80]!r} may be any of {', '.join(bare[:10])}{more}. Give one of these.")
    return bare[0] if bare else None


def _file_of(value: str) -> str | None:
    """Return the file of a value that names a folder as well."""
    name = PurePosixPath(value.replace("\\", "/")).name
    return name if name and name != value else None


def _is_text(value: str) -> bool:
    """Tell whether an index can hold *value*: half a character has no UTF-8, and databases know no NUL."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)


def _names_of(value: str) -> set[str]:
    path = PurePosixPath(value.replace("\\", "/").casefold())
    return {path.name, path.stem, str(path.with_suffix(""))} if path.name else set()


def _whole_id(name: str, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    try:
        return str(uuid.UUID(wanted))
    except ValueError:
        raise BadRequest(
            f"{name}={wanted[:60]!r} is no id of a comparison. It is the comparison_id from compare_models."
        ) from None


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise BadRequest(
            f"{name} has {len(text):,} characters; at most {MAX_TEXT:,} are searched for. "
            "Give a few words that the prompt holds."
        )
