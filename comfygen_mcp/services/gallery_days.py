"""One day of the gallery at a time: what the index knows of it already, and its segment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from comfygen_mcp import sidecar
from comfygen_mcp.index.base import Entry, Index, Query
from comfygen_mcp.services.gallery_keys import next_day
from comfygen_mcp.services.gallery_segments import MOST_ENTRIES, Segments
from comfygen_mcp.stores.base import Store

FINISHED_AFTER = timedelta(days=1)
"""A day is finished when it is over for so long ..."""
WORTH_A_SEGMENT = 20
"""... and its segment pays from so many generations on; it is written again when a tenth is missing."""

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Day:
    """What is known of one day before its sidecars are read; counts them on the way."""

    name: str
    known: frozenset[str] = frozenset()
    segment: dict[str, Entry] = field(default_factory=dict[str, Entry])
    sidecars: int = 0
    unpacked: int = 0

    def knows(self, key: str) -> bool:
        return sidecar.id_in(key) in self.known

    def packed(self, key: str) -> Entry | None:
        """Return the entry of a sidecar from the segment."""
        entry = self.segment.get(key)
        return entry if entry is not None and entry.id == sidecar.id_in(key) else None

    def count(self, sidecars: int, *, unpacked: int) -> None:
        """Count what was met; *unpacked* ones the segment does not have."""
        self.sidecars += sidecars
        self.unpacked += unpacked


class Days:
    """Looks days up, the last one kept at hand; *known* and *segments* say what is asked for."""

    def __init__(
        self,
        store: Store,
        index: Index,
        *,
        now: Callable[[], datetime],
        segments: bool,
        known: bool = True,
        known_since: datetime | None = None,
    ) -> None:
        self._index = index
        self._segments = Segments(store)
        self._now = now
        self._with_segments = segments
        self._with_known = known
        self._known_since = known_since
        self._written: frozenset[str] | None = None
        self._current = Day("")

    async def day(self, name: str) -> Day:
        if name != self._current.name:
            known = await self._known(name) if self._with_known else frozenset[str]()
            has_segment = self._with_segments and name in await self._days_with_segments()
            segment = await self._segments.read(name) if has_segment else {}
            self._current = Day(name, known, segment)
        return self._current

    async def keep_segment(self, day: Day) -> None:
        """Write the segment of a finished day that has none, or too poor a one."""
        over = self._now() - _begin(day.name) > _DAY + FINISHED_AFTER
        poor = WORTH_A_SEGMENT <= day.sidecars <= MOST_ENTRIES and day.unpacked * 10 > day.sidecars
        if self._with_segments and over and poor:
            entries = [entry async for entry in self._index.all_entries(_all_of(day.name))]
            await self._segments.write(day.name, entries)

    async def _known(self, name: str) -> frozenset[str]:
        query = _all_of(name)
        if self._known_since and query.since and self._known_since > query.since:
            query = query.model_copy(update={"since": self._known_since})
        return frozenset([entry.id async for entry in self._index.all_entries(query)])

    async def _days_with_segments(self) -> frozenset[str]:
        if self._written is None:
            self._written = await self._segments.days()
        return self._written


def _begin(name: str) -> datetime:
    return datetime.strptime(name, "%Y/%m/%d").replace(tzinfo=UTC)


def _all_of(name: str) -> Query:
    return Query(since=_begin(name), until=next_day(_begin(name)))
