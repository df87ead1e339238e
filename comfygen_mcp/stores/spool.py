"""A remote store that loses nothing while it is away: what it cannot take waits here, to be delivered."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

import anyio
from anyio import to_thread

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.stores.base import Condition, Store, StoredFile
from comfygen_mcp.stores.durable import copy_into
from comfygen_mcp.stores.journal import Journal, Waiting
from comfygen_mcp.stores.keys import checked_key
from comfygen_mcp.stores.local import LocalStore

MOST_BYTES_S = 1_000_000
"""A file may take a second more for so many bytes before it goes to the spool."""
RETRY_S = (1.0, 30.0)
"""First and longest pause between two attempts to deliver."""
LOOK_S = 30.0
"""How often an idle process looks whether another one left something."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class SpooledStore:
    """*remote*, with *folder* as its spool; open it with `async with`, which delivers in the background.

    While anything waits, further writes wait behind it, so that a sidecar never arrives before its file.
    """

    def __init__(self, remote: Store, folder: Path, *, spool_after_s: float) -> None:
        self._remote = remote
        self._journal = Journal(folder)
        self._here = LocalStore(self._journal.files)
        self._spool_after_s = spool_after_s
        self._outage: StoreFailed | None = None
        self._something_waits = asyncio.Event()

    @asynccontextmanager
    async def delivering(self) -> AsyncGenerator[Self]:
        """Deliver what waits, now and again, until the block ends."""
        task = asyncio.create_task(self._deliver_for_ever())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def name(self) -> str:
        return self._remote.name

    async def put_file(
        self, key: str, path: Path, *, mime: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        checked_key(key)
        within_s = self._spool_after_s + await to_thread.run_sync(_size, key, path) / MOST_BYTES_S
        put = partial(self._remote.put_file, key, path, mime=mime, metadata=metadata)
        if not await self._taken(key, put, within_s):
            await self._spool(key, partial(copy_into, path), mime=mime, metadata=metadata or {})

    async def put_bytes(self, key: str, data: bytes, *, mime: str) -> None:
        checked_key(key)
        put = partial(self._remote.put_bytes, key, data, mime=mime)
        if not await self._taken(key, put, self._spool_after_s + len(data) / MOST_BYTES_S):
            await self._spool(key, lambda file: file.write(data), mime=mime, metadata={})

    async def read(self, key: str) -> bytes:
        if self.is_waiting(key):
            # It may be delivered this very moment.
            with suppress(StoreFailed):
                return await self._here.read(key)
        return await self._remote.read(key)

    async def stat(self, key: str) -> StoredFile | None:
        return await self._here.stat(key) or await self._remote.stat(key)

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncGenerator[StoredFile]:
        """Yield what is there and what waits, in key order.

        While the remote store is away, yield what waits and then raise StoreFailed: the rest is unknown.
        """
        here = [file async for file in self._here.list(prefix, start_after=start_after)]
        keys = {file.key for file in here}
        outage = self._outage
        if outage is None:
            try:
                async for file in self._remote.list(prefix, start_after=start_after):
                    while here and here[0].key < file.key:
                        yield here.pop(0)
                    if file.key not in keys:
                        yield file
            except StoreFailed as error:
                outage = error
        for file in here:
            yield file
        if outage is not None:
            raise outage

    async def delete(self, key: str) -> None:
        checked_key(key)
        await self._on_disk(partial(self._journal.discard, key))
        await self._remote.delete(key)

    def url(self, key: str) -> str:
        return self._remote.url(key)

    async def link(self, key: str, *, expires_s: int) -> str:
        """Return a link to the remote store, or the local file's address while it waits."""
        if self.is_waiting(key):
            return self._here.url(key)
        return await self._remote.link(key, expires_s=expires_s)

    async def writable(self) -> None:
        """Return when the remote store or else the spool takes files; `condition` tells which."""
        try:
            with anyio.fail_after(self._spool_after_s):
                await self._remote.writable()
            self._outage = None
        except (StoreFailed, TimeoutError) as error:
            self._outage = self._as_failure(error)
            await self._here.writable()

    def local_path(self, key: str) -> Path | None:
        return self._journal.path(key) if self.is_waiting(key) else self._remote.local_path(key)

    def is_waiting(self, key: str) -> bool:
        return self._journal.path(key).is_file()

    async def condition(self) -> Condition:
        waiting = await self._on_disk(self._journal.count)
        remote = await self._remote.condition()
        notes = [*remote.notes]
        if self._outage is not None:
            notes.append(f"Files are stored locally for now and delivered later: {self._outage}")
        others = await self._on_disk(partial(_others, self._journal.folder))
        notes += [
            f"{count} file(s) for another store wait in the spool folder {name}" for name, count in others
        ]
        return Condition(waiting=waiting + remote.waiting, notes=tuple(notes))

    async def deliver(self) -> bool:
        """Deliver what waits, in order; False when something is left."""
        if self._journal.is_empty():
            return True
        with self._journal.delivering() as our_turn:
            if not our_turn:
                return False
            while waiting := await self._on_disk(self._journal.waiting):
                for each in waiting:
                    if not await self._delivered(each):
                        return False
        _log.info("everything that waited is delivered to the %s", self._remote.name)
        return True

    async def _taken(self, key: str, put: Callable[[], Awaitable[None]], within_s: float) -> bool:
        """Tell whether the remote store took a write in time; while something waits it is not even asked."""
        if not self._journal.is_empty():
            return False
        try:
            with anyio.fail_after(within_s):
                await put()
        except (StoreFailed, TimeoutError) as error:
            self._outage = self._as_failure(error)
            _log.warning("%r goes to the spool: %s", key, self._outage)
            return False
        self._outage = None
        return True

    async def _spool(
        self, key: str, fill: Callable[[BinaryIO], object], *, mime: str, metadata: Mapping[str, str]
    ) -> None:
        append = partial(self._journal.append, key, fill, mime=mime, metadata=metadata)
        try:
            await self._on_disk(append)
        except StoreFailed as error:
            raise StoreFailed(f"{self._outage or ''} {error}".strip()) from error
        self._something_waits.set()

    async def _delivered(self, waiting: Waiting) -> bool:
        entry = waiting.entry
        try:
            await self._remote.put_file(entry.key, waiting.path, mime=entry.mime, metadata=entry.metadata)
        except StoreFailed as error:
            if not waiting.path.exists():  # it was deleted meanwhile, there is nothing to deliver
                return True
            self._outage = error
            return False
        self._outage = None
        if not await self._on_disk(partial(self._journal.strike, waiting)):
            await self._remote.delete(entry.key)
        return True

    async def _deliver_for_ever(self) -> None:
        pause = RETRY_S[0]
        while True:
            self._something_waits.clear()
            try:
                done = await self.deliver()
            except (StoreFailed, OSError) as error:
                _log.warning("the spool cannot be delivered: %s", error)
                done = False
            if done:
                pause = RETRY_S[0]
                with anyio.move_on_after(LOOK_S):
                    await self._something_waits.wait()
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_S[1])

    def _as_failure(self, error: StoreFailed | TimeoutError) -> StoreFailed:
        if isinstance(error, StoreFailed):
            return error
        return StoreFailed(f"The {self.name} is too slow. Look at the server and the network.")

    async def _on_disk(self, work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreFailed(
                f"Cannot write to the spool: {reason}. Check the disk, or set another folder as `spool`."
            ) from error


def _size(key: str, path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StoreFailed(f"Cannot write {key!r}: {error.strerror}. Check the file to store.") from error


def _others(folder: Path) -> list[tuple[str, int]]:
    """Return the spools beside *folder* in which something waits."""
    try:
        beside = [other for other in folder.parent.iterdir() if other != folder and other.is_dir()]
    except OSError:
        return []
    counts = [(other.name, Journal(other).count()) for other in sorted(beside)]
    return [(name, count) for name, count in counts if count]
