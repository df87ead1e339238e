"""Lists the sidecars of a store day by day, in small pieces; what is not ours is only counted."""

from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field

from comfygen_mcp.backends.archive import ROOT
from comfygen_mcp.index.base import Reading
from comfygen_mcp.services.gallery_keys import day_of, is_our_file, is_our_sidecar
from comfygen_mcp.stores.base import Store

PIECE = 500
"""Sidecars that are read and added at once."""
NAMED = 20
"""So many of the skipped keys are named, the newest ones."""


@dataclass(slots=True)
class Skipped:
    """What is no sidecar or edit of ours: how many objects, and the keys of some."""

    count: int = 0
    keys: deque[str] = field(default_factory=lambda: deque[str](maxlen=NAMED))

    @classmethod
    def of(cls, reading: Reading) -> "Skipped":
        """Return what an earlier reading skipped, to go on counting."""
        return cls(reading.skipped, deque(reading.skipped_keys, maxlen=NAMED))

    def add(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key not in self.keys:
                self.count += 1
                self.keys.append(key)


@dataclass(frozen=True, slots=True)
class Piece:
    """Keys of sidecars of one day, in order; *ends_day* when no more of that day follow."""

    day: str
    keys: list[str]
    ends_day: bool


async def sidecars(
    store: Store, *, start_after: str, until: str | None, skipped: Skipped, skipped_after: str
) -> AsyncGenerator[Piece]:
    """Yield all sidecars between two keys; foreign keys beyond *skipped_after* are counted in *skipped*."""
    day, keys = "", list[str]()
    async for file in store.list(ROOT, start_after=start_after):
        key = file.key
        if until is not None and key > until:
            break
        if not is_our_sidecar(key):
            if key > skipped_after and not is_our_file(key):
                skipped.add([key])
            continue
        new_day = day_of(key) != day
        if keys and (new_day or len(keys) == PIECE):
            yield Piece(day, keys, ends_day=new_day)
            keys = []
        day = day_of(key)
        keys.append(key)
    if keys:
        yield Piece(day, keys, ends_day=True)
