"""One listing of the whole store: what it weighs, and which files and sidecars belong to nothing."""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from comfygen_mcp import edits, sidecar
from comfygen_mcp.backends.archive import ROOT, bare_key
from comfygen_mcp.index.base import Index
from comfygen_mcp.services.gallery_days import Days
from comfygen_mcp.services.gallery_keys import (
    day_of,
    edits_from,
    is_edit,
    is_our_file,
    is_our_sidecar,
    moment_of,
)
from comfygen_mcp.services.gallery_objects import read_edits
from comfygen_mcp.stores.base import Store, StoredFile

ORPHANED_AFTER = timedelta(hours=24)
"""A file this old whose sidecar did not follow is left from something that was interrupted."""
MOST = 10_000
"""Of what is to be removed, one run sees to so many; the next run goes on."""

_CLOCKS = timedelta(days=1)
_BATCH = 500


@dataclass(slots=True)
class Survey:
    """What one listing found, by keys: *deleted* is what a deletion left behind, *orphans* are files.

    *unknown* sidecars are not in the index, *lone* files have no sidecar and were to have one.
    *total_bytes* is what deleting generations would free: their files and sidecars. All else that lies
    there is *foreign_bytes*, also files without a sidecar, and sidecars that nobody can read.
    """

    files: int = 0
    total_bytes: int = 0
    foreign_bytes: int = 0
    sidecars: int = 0
    sidecar_bytes: int = 0
    orphans: deque[str] = field(default_factory=lambda: deque[str](maxlen=MOST))
    lone: deque[str] = field(default_factory=lambda: deque[str](maxlen=MOST))
    unknown: deque[str] = field(default_factory=lambda: deque[str](maxlen=MOST))
    deleted: list[str] = field(default_factory=list[str])

    @property
    def sidecar_mean(self) -> int:
        return self.sidecar_bytes // max(self.sidecars, 1)


async def survey(store: Store, index: Index, *, now: Callable[[], datetime]) -> Survey:
    """List everything; memory stays flat."""
    found = Survey()
    days = Days(store, index, now=now, segments=False)
    async for file, complete in _files(store):
        is_sidecar = is_our_sidecar(file.key)
        known = (is_sidecar or complete) and await _is_known(days, file.key)
        if known:
            found.total_bytes += file.size_bytes
        else:
            found.foreign_bytes += file.size_bytes
        if is_sidecar:
            found.sidecars += known
            found.sidecar_bytes += file.size_bytes if known else 0
            found.unknown.extend([] if known else [file.key])
        elif is_our_file(file.key):
            found.files += 1
            if not complete and await store.stat(bare_key(file.key)) is None:
                found.lone.append(file.key)
                found.orphans.extend([file.key] if file.modified < now() - ORPHANED_AFTER else [])
    beside = [key.removesuffix(sidecar.SUFFIX) for key in found.unknown]
    found.deleted = await _deleted(store, [*found.unknown, *beside, *found.lone])
    return found


async def _is_known(days: Days, key: str) -> bool:
    """Tell whether *key* belongs to a generation that the index has, and that may so be deleted."""
    ours = is_our_sidecar(key) or is_our_file(key)
    return ours and (await days.day(day_of(key))).knows(key)


async def _files(store: Store) -> AsyncGenerator[tuple[StoredFile, bool]]:
    """Yield each object, and whether its sidecar follows: in key order, that one comes right behind it."""
    before: StoredFile | None = None
    async for file in store.list(ROOT):
        if before is not None:
            yield before, file.key == before.key + sidecar.SUFFIX
        before = file
    if before is not None:
        yield before, False


async def _deleted(store: Store, keys: list[str]) -> list[str]:
    """Return those of *keys* whose generation was deleted, as the edits in the store say."""
    if not keys:
        return []
    begin = min(moment for key in keys if (moment := moment_of(key)))
    suspects = {sidecar.id_in(key) for key in keys}
    deleted, batch = set[str](), list[str]()

    async def look() -> None:
        read = await read_edits(store, batch)
        deleted.update(edit.generation_id for edit in read.found if edit.deleted)
        deleted.intersection_update(suspects)
        batch.clear()

    async for file in store.list(edits.ROOT, start_after=edits_from(begin - _CLOCKS)):
        batch += [file.key] if is_edit(file.key) else []
        if len(batch) == _BATCH:
            await look()
    await look()
    return [key for key in keys if sidecar.id_in(key) in deleted]
