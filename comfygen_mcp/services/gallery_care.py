"""Care: what interruptions left behind, what is too old and what is too much; nothing goes unasked."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from comfygen_mcp import sidecar
from comfygen_mcp.config import Settings
from comfygen_mcp.index.base import Entry, Index, Query
from comfygen_mcp.models import Record
from comfygen_mcp.services.gallery_edits import GalleryEdits
from comfygen_mcp.services.gallery_fill import Tell
from comfygen_mcp.services.gallery_survey import MOST, Survey, survey
from comfygen_mcp.services.gallery_tags import is_kept
from comfygen_mcp.stores.base import Store

SHOWN = 20
"""So many of each kind are named in a report."""


@dataclass(frozen=True, slots=True)
class CareRules:
    """What may be deleted without anybody naming it; None: nothing."""

    retention_days: float | None = None
    quota_bytes: int | None = None

    @property
    def any(self) -> bool:
        return self.retention_days is not None or self.quota_bytes is not None


def rules_of(settings: Settings) -> CareRules:
    quota = settings.quota_gb
    return CareRules(settings.retention_days, None if quota is None else int(quota * 1_000_000_000))


class CareReport(Record):
    """What care found, and with *dry_run* False, did.

    *orphans* are files whose sidecar never came, *unfinished* objects that an interrupted deletion left.
    *expired* generations are older than the rules allow, *surplus* ones the oldest above the quota;
    *going* names the first of both, oldest first. *removed* counts objects and generations together.
    *total_bytes* is what the quota is about: files of generations and their sidecars. *foreign_bytes* is all
    else in the gallery's place, *beyond_bytes* how far kept generations alone are above the quota; then
    deleting the others cannot help, and none of them is surplus.
    """

    dry_run: bool
    files: int
    total_bytes: int
    foreign_bytes: int
    beyond_bytes: int
    orphans: int
    orphan_keys: tuple[str, ...]
    unfinished: int
    expired: int
    surplus: int
    freed_bytes: int
    going: tuple[Entry, ...]
    removed: int = 0


class Care:
    """Looks after *store* by *rules*."""

    def __init__(
        self,
        store: Store,
        index: Index,
        edits: GalleryEdits,
        rules: CareRules,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._index = index
        self._edits = edits
        self._rules = rules
        self._now = now

    async def run(self, *, dry_run: bool, remove_orphans: bool, tell: Tell) -> CareReport:
        """Look; unless *dry_run*, finish deletions and apply the rules. Orphans go only where asked for."""
        found = await survey(self._store, self._index, now=self._now)
        orphans = [key for key in found.orphans if key not in set(found.deleted)]
        expired = await self._expired()
        surplus = await self._surplus(found, expired)
        report = CareReport(
            dry_run=dry_run,
            files=found.files,
            total_bytes=found.total_bytes,
            foreign_bytes=found.foreign_bytes,
            beyond_bytes=surplus.beyond,
            orphans=len(orphans),
            orphan_keys=tuple(orphans[:SHOWN]),
            unfinished=len(found.deleted),
            expired=expired.count,
            surplus=surplus.count,
            freed_bytes=(expired.bytes + surplus.bytes),
            going=(*expired.oldest_first(), *surplus.oldest_first())[:SHOWN],
        )
        if dry_run:
            return report
        keys = [*found.deleted, *(orphans if remove_orphans else ())]
        removed = await self._remove(keys, [("retention", expired), ("quota", surplus)], tell)
        return report.model_copy(update={"removed": removed})

    async def _expired(self) -> "_Going":
        going = _Going()
        if self._rules.retention_days is not None:
            cutoff = self._now() - timedelta(days=self._rules.retention_days)
            async for entry in self._not_kept(Query(until=cutoff)):
                going.add(entry, entry.size_bytes)
        return going

    async def _surplus(self, found: Survey, expired: "_Going") -> "_Going":
        """Return the oldest of what may go until the rest fits into the quota."""
        going = _Going()
        if self._rules.quota_bytes is None:
            return going
        excess = (
            found.total_bytes - expired.bytes - expired.count * found.sidecar_mean - self._rules.quota_bytes
        )
        if excess <= 0:
            return going
        since = (
            self._now() - timedelta(days=self._rules.retention_days) if self._rules.retention_days else None
        )
        query = Query(since=since)
        weight = 0
        async for entry in self._not_kept(query):
            weight += entry.size_bytes + found.sidecar_mean
        if weight + found.sidecars < excess:  # the mean is rounded down
            going.beyond = excess - weight
            return going
        staying = 0
        async for entry in self._not_kept(query):
            staying += entry.size_bytes + found.sidecar_mean
            if staying > weight - excess:
                going.add(entry, entry.size_bytes)
        return going

    async def _not_kept(self, query: Query) -> AsyncIterator[Entry]:
        async for entry in self._index.all_entries(query):
            if not is_kept(entry.tags):
                yield entry

    async def _remove(self, keys: list[str], groups: "list[tuple[_Reason, _Going]]", tell: Tell) -> int:
        total = len(keys) + sum(len(going.entries) for _, going in groups)
        done = 0
        # Sidecars before their files: what is interrupted here is found again the same way.
        for key in sorted(keys, key=lambda key: not key.endswith(sidecar.SUFFIX)):
            await self._store.delete(key)
            tell(done := done + 1, total)
        for reason, going in groups:
            for entry in reversed(going.entries):
                await self._edits.write(entry.id, by=reason, deleted=True)
                await self._edits.remove(entry)
                tell(done := done + 1, total)
        return done


_Reason = Literal["retention", "quota"]


class _Going:
    """What is to be deleted: all are counted, the oldest of them held; they are added newest first."""

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.beyond = 0
        self.entries = deque[Entry](maxlen=MOST)

    def add(self, entry: Entry, size: int) -> None:
        self.count += 1
        self.bytes += size
        self.entries.append(entry)

    def oldest_first(self) -> list[Entry]:
        return list(self.entries)[: -SHOWN - 1 : -1]
