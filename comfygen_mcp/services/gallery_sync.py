"""When the index is brought up to date: on demand, not too often, and by one process at a time."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from comfygen_mcp.errors import IndexFailed, StoreFailed
from comfygen_mcp.services.gallery_fill import IndexFill, Tell, silent

if TYPE_CHECKING:
    from filelock import FileLock

EVERY_S = 2.0
"""A refresh this young is good enough for the next search."""
AFTER_FAILURE_S = 20.0
"""A store that is away is not asked again before so many seconds."""
LOCKED_S = 10.0
"""How long a refresh waits for another process that reads the same store into the same index."""
POLL_S = 0.1

_log = logging.getLogger(__name__)


class GallerySync:
    """Runs *fill*; concurrent callers share one run, and processes exclude each other by files in *locks*."""

    def __init__(self, fill: IndexFill, *, store_name: str, locks: Path) -> None:
        self._fill = fill
        self._locks = locks
        self._name = hashlib.sha256(store_name.encode()).hexdigest()[:12]
        self.marker = locks / f"{self._name}.listed"
        self._running: asyncio.Task[None] | None = None
        self._due = 0.0

    async def refresh(self) -> None:
        """Read what is new, unless that was done just now; raises StoreFailed or IndexFailed."""
        if self._running is None and time.monotonic() >= self._due:
            self._running = asyncio.create_task(self._refresh())
            self._running.add_done_callback(self._ended)
        if self._running is not None:
            await asyncio.shield(self._running)

    async def refreshed(self, *, within_s: float) -> None:
        """Wait for a refresh, but no longer than that; it goes on, and what is there can be searched."""
        try:
            async with asyncio.timeout(within_s):
                await self.refresh()
        except TimeoutError:
            _log.info("the gallery is still being read into the index")
        except (StoreFailed, IndexFailed) as error:
            _log.warning("the gallery's index is not up to date: %s", error)

    async def rebuild(self, tell: Tell) -> None:
        """Forget the index and read everything; joins a rebuild that another process has begun.

        Interrupted, it goes on with the next refresh or rebuild where it was.
        """
        async with self._locked("rebuild", wait_s=0) as first:
            if first:
                async with self._locked("read", wait_s=None):
                    await self._fill.start_again()
                    await self._fill.everything(tell)
                return
        async with self._locked("rebuild", wait_s=None):
            pass
        self._due = 0.0
        await self.refresh()

    async def heal(self, tell: Tell) -> None:
        """List everything, and read what the index lacks."""
        async with self._locked("read", wait_s=None):
            await self._fill.everything(tell)

    async def aclose(self) -> None:
        """Stop what still runs; the next process goes on with it."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _refresh(self) -> None:
        async with self._locked("read", wait_s=LOCKED_S) as ours:
            if ours:
                await self._fill.latest(silent)

    def _ended(self, task: asyncio.Task[None]) -> None:
        failed = task.cancelled() or task.exception() is not None
        self._due = time.monotonic() + (AFTER_FAILURE_S if failed else EVERY_S)
        self._running = None

    @asynccontextmanager
    async def _locked(self, what: str, *, wait_s: float | None) -> AsyncGenerator[bool]:
        """Tell whether nobody else holds the lock, after waiting *wait_s* (None: as long as it takes)."""
        lock = self._lock(what)
        end = None if wait_s is None else time.monotonic() + wait_s
        while not _acquired(lock):
            if end is not None and time.monotonic() >= end:
                yield False
                return
            await asyncio.sleep(POLL_S)
        try:
            yield True
        finally:
            lock.release()

    def _lock(self, what: str) -> "FileLock":
        from filelock import FileLock

        try:
            self._locks.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexFailed(
                f"The gallery's index cannot be used: its folder cannot be made ({error.strerror}). "
                "Set COMFYGEN_INDEX to a folder that can."
            ) from error
        return FileLock(self._locks / f"{self._name}.{what}.lock", thread_local=False)


def _acquired(lock: "FileLock") -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except OSError as error:
        raise IndexFailed(
            f"The gallery's index cannot be locked ({error.strerror}). Set COMFYGEN_INDEX to another folder."
        ) from error
    return True
