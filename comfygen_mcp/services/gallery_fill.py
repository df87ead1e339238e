"""Brings the index up to what the store holds: the latest objects, or all that it lacks."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from comfygen_mcp import edits
from comfygen_mcp.errors import IndexFailed
from comfygen_mcp.index.base import Index, Reading
from comfygen_mcp.services.gallery_days import Day, Days
from comfygen_mcp.services.gallery_keys import edits_from, generations_from, is_edit, moment_of
from comfygen_mcp.services.gallery_listing import PIECE, Piece, Skipped, sidecars
from comfygen_mcp.services.gallery_objects import read_edits, read_entries
from comfygen_mcp.stores.base import Store

Tell: TypeAlias = Callable[[int, int | None], None]
"""Told how many generations are done, of how many (None: nobody knows)."""

OVERLAP = timedelta(hours=1)
"""Clocks differ, and files come late: so much before the last key is looked at again."""
AHEAD = timedelta(days=1)
"""Keys further in the future are left to the reading of everything."""
LATE_EDITS = timedelta(days=7)
"""An edit may have waited so long in another machine's spool."""

_REMEMBERED = 1000


def silent(_done: int, _total: int | None) -> None:
    """Tell nobody."""


class IndexFill:
    """Reads *store* into *index*; callers see to it that one process of a machine does so at a time."""

    def __init__(self, store: Store, index: Index, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._index = index
        self._now = now
        self._seen_edits = frozenset[str]()
        self._unusable = dict[str, None]()

    async def latest(self, tell: Tell) -> None:
        """Read what came since the last time; everything, when the first reading was never finished."""
        reading = await self._index.reading()
        if not reading.complete:
            await self.everything(tell)
            return
        skipped = Skipped.of(reading)
        start = self._overlapping(reading.edits_until)
        first = edits_from(start) if start else ""
        last = await self._read_edits(first, skipped, counted_after=reading.edits_until)
        start = self._overlapping(reading.generations_until)
        until = reading.generations_until
        between = generations_from(start) if start else "", generations_from(self._now() + AHEAD)
        days = Days(self._store, self._index, now=self._now, segments=False, known_since=start)
        async for piece in self._taken(days, between, skipped, counted_after=until):
            until = self._mark(until, piece.keys)
        await self._advance(reading, _marked(reading, skipped, edits_until=last, generations_until=until))

    async def everything(self, tell: Tell) -> None:
        """Read all that the index lacks; a first reading goes on where it was interrupted."""
        reading = await self._index.reading()
        self._seen_edits, self._unusable = frozenset[str](), {}
        if reading.complete:
            await self._missing(reading, tell)
        else:
            await self._first(reading, tell)

    async def start_again(self) -> None:
        """Empty the index, to be read again from the beginning."""
        await self._index.clear()
        await self._index.set_reading(Reading())
        self._seen_edits, self._unusable = frozenset[str](), {}

    async def _first(self, reading: Reading, tell: Tell) -> None:
        """Read everything into an index that is empty, or was being filled when something interrupted it."""
        skipped = Skipped.of(reading)
        begun = _before(reading.edits_until)
        start = edits_from(begun) if begun else ""
        last = await self._read_edits(start, skipped, counted_after=reading.edits_until)
        reading = await self._advance(reading, _marked(reading, skipped, edits_until=last))
        begun = _before(reading.generations_until)
        between = generations_from(begun) if begun else "", None
        done = await self._index.size() if begun else 0
        days = Days(self._store, self._index, now=self._now, segments=True, known=False)
        async for piece in self._taken(days, between, skipped, counted_after=reading.generations_until):
            until = self._mark(reading.generations_until, piece.keys)
            reading = await self._advance(reading, _marked(reading, skipped, generations_until=until))
            done += len(piece.keys)
            tell(done, None)
        await self._advance(reading, _marked(reading, skipped, complete=True))

    async def _missing(self, reading: Reading, tell: Tell) -> None:
        """List everything, and read what came too late or was dated too far ahead to be met otherwise."""
        skipped = Skipped()
        late = edits_from(self._now() - LATE_EDITS)
        last = await self._read_edits("", skipped, read_after=late)
        until, done = reading.generations_until, 0
        days = Days(self._store, self._index, now=self._now, segments=True)
        async for piece in self._taken(days, ("", None), skipped):
            until = self._mark(until, piece.keys)
            done += len(piece.keys)
            tell(done, None)
        await self._advance(reading, _marked(reading, skipped, edits_until=last, generations_until=until))

    async def _read_edits(
        self, start_after: str, skipped: Skipped, *, counted_after: str = "", read_after: str = ""
    ) -> str:
        """Fold in the edits behind *start_after*, and return the last key.

        Foreign objects are counted behind *counted_after*; edits before *read_after* are only passed by.
        """
        last, listed, batch = "", set[str](), list[str]()
        async for file in self._store.list(edits.ROOT, start_after=start_after):
            if not is_edit(file.key):
                skipped.add([file.key] if file.key > counted_after else [])
                continue
            last = self._mark(last, [file.key])
            if self._is_recent(file.key):
                listed.add(file.key)
            if file.key not in self._seen_edits and file.key > read_after:
                batch.append(file.key)
            if len(batch) == PIECE:
                await self._fold(batch, skipped)
                batch = []
        await self._fold(batch, skipped)
        self._seen_edits = frozenset(listed)
        return last

    async def _fold(self, keys: list[str], skipped: Skipped) -> None:
        if keys:
            read = await read_edits(self._store, keys)
            skipped.add(read.unusable)
            await self._index.edit(read.found)

    async def _taken(
        self, days: Days, between: tuple[str, str | None], skipped: Skipped, *, counted_after: str = ""
    ) -> AsyncGenerator[Piece]:
        """Take in the sidecars between two keys, piece by piece; yield each when it is in the index."""
        start_after, until = between
        async for piece in sidecars(
            self._store, start_after=start_after, until=until, skipped=skipped, skipped_after=counted_after
        ):
            day = await days.day(piece.day)
            await self._take(piece, day, skipped)
            if piece.ends_day:
                await days.keep_segment(day)
            yield piece

    async def _take(self, piece: Piece, day: Day, skipped: Skipped) -> None:
        """Add what the index lacks of *piece*: from the day's segment, else from the sidecars."""
        wanted = [key for key in piece.keys if not day.knows(key) and key not in self._unusable]
        packed = [entry for key in wanted if (entry := day.packed(key))]
        read = await read_entries(self._store, [key for key in wanted if day.packed(key) is None])
        day.count(len(piece.keys), unpacked=sum(day.packed(key) is None for key in piece.keys))
        skipped.add(read.unusable)
        self._unusable.update(dict.fromkeys(read.unusable))
        while len(self._unusable) > _REMEMBERED:
            del self._unusable[next(iter(self._unusable))]
        if packed or read.found:
            await self._index.add([*packed, *read.found])

    async def _advance(self, before: Reading, now: Reading) -> Reading:
        """Note how far the reading is, unless another machine began anew on the same index meanwhile."""
        current = await self._index.reading()
        if current.generations_until < before.generations_until or (before.complete and not current.complete):
            raise IndexFailed("Another machine builds the index anew; until then not everything is found.")
        if current != now:
            await self._index.set_reading(now)
        return now

    def _mark(self, before: str, keys: Sequence[str]) -> str:
        """Return the last of *keys* as the mark, but none from the future: a wrong clock must not lead."""
        now = self._now()
        past = (key for key in reversed(keys) if (moment := moment_of(key)) and moment <= now)
        return max(before, next(past, ""))

    def _overlapping(self, key: str) -> datetime | None:
        """Return from when on to look again, None for the beginning."""
        last = moment_of(key)
        return min(last, self._now()) - OVERLAP if last else None

    def _is_recent(self, key: str) -> bool:
        moment = moment_of(key)
        return moment is not None and moment > self._now() - 2 * OVERLAP


def _before(key: str) -> datetime | None:
    moment = moment_of(key)
    return moment - OVERLAP if moment else None


def _marked(
    reading: Reading,
    skipped: Skipped,
    *,
    edits_until: str = "",
    generations_until: str = "",
    complete: bool = False,
) -> Reading:
    """Return *reading* as far as it is now; marks never go back."""
    return Reading(
        generations_until=max(generations_until, reading.generations_until),
        edits_until=max(edits_until, reading.edits_until),
        complete=complete or reading.complete,
        skipped=skipped.count,
        skipped_keys=tuple(skipped.keys),
    )
