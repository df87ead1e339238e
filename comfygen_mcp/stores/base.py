"""What every store can do with keys such as `g/2026/11/21/20261121_084100_<id>_0.png`."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from comfygen_mcp.models import Record


class StoredFile(Record):
    """One object of a store, without its bytes."""

    key: str
    size_bytes: int
    modified: datetime
    mime: str


class Condition(Record):
    """How a store is doing: *waiting* files are not delivered yet; *notes* are for people."""

    waiting: int = 0
    notes: tuple[str, ...] = ()


class Store(Protocol):
    """Keys are `/`-separated, relative, without `.` or `..` parts; a write is there whole or not at all.

    Every method raises StoreFailed when the medium fails, and BadRequest for a key of another form.
    """

    @property
    def name(self) -> str:
        """A short text for people: what and where (no secrets)."""
        ...

    async def put_file(
        self, key: str, path: Path, *, mime: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Store the file at *path* under *key*; *path* stays, and must not be written to any more."""
        ...

    async def put_bytes(self, key: str, data: bytes, *, mime: str) -> None: ...

    async def read(self, key: str) -> bytes:
        """Return all bytes of *key*; raises StoreFailed when there is no such key."""
        ...

    async def stat(self, key: str) -> StoredFile | None: ...

    def list(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[StoredFile]:
        """Yield the files below *prefix* in key order, strictly after *start_after*."""
        ...

    async def delete(self, key: str) -> None:
        """Remove *key*; a missing key is no error."""
        ...

    def url(self, key: str) -> str:
        """Return the canonical URL of *key*: unsigned, the same for ever."""
        ...

    async def link(self, key: str, *, expires_s: int) -> str:
        """Return a URL by which *key* can be fetched now, without any key of ours, for *expires_s* seconds.

        A store that signs nothing returns the address that it has.
        """
        ...

    async def writable(self) -> None:
        """Return when a file could be written now; otherwise StoreFailed says why not."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Return the file on this machine, or None when the store is not on this machine."""
        ...

    def is_waiting(self, key: str) -> bool:
        """Tell whether *key* lies here for now, to be delivered to where it belongs."""
        ...

    async def condition(self) -> Condition: ...
