"""A store in memory: as strict as the others, gone with the process."""

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from anyio import to_thread

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.stores.base import Condition, StoredFile
from comfygen_mcp.stores.keys import checked_key


class MemoryStore:
    """A Store for trying things out."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[StoredFile, bytes]] = {}

    @property
    def name(self) -> str:
        return "memory"

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        mime: str,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002  (no method of a store returns it)
    ) -> None:
        checked_key(key)
        try:
            data = await to_thread.run_sync(path.read_bytes)
        except OSError as error:
            raise StoreFailed(f"Cannot write {key!r}: {error.strerror}. Check the file to store.") from error
        await self.put_bytes(key, data, mime=mime)

    async def put_bytes(self, key: str, data: bytes, *, mime: str) -> None:
        file = StoredFile(key=checked_key(key), size_bytes=len(data), modified=datetime.now(UTC), mime=mime)
        self._files[key] = (file, data)

    async def read(self, key: str) -> bytes:
        if checked_key(key) not in self._files:
            raise StoreFailed(f"Cannot read {key!r} in {self.name}: there is no such file.")
        return self._files[key][1]

    async def stat(self, key: str) -> StoredFile | None:
        found = self._files.get(checked_key(key))
        return found[0] if found else None

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncGenerator[StoredFile]:
        for key in sorted(self._files):
            if key.startswith(prefix) and key > start_after:
                yield self._files[key][0]

    async def delete(self, key: str) -> None:
        self._files.pop(checked_key(key), None)

    def url(self, key: str) -> str:
        return f"memory:{checked_key(key)}"

    async def link(self, key: str, *, expires_s: int) -> str:  # noqa: ARG002  (nothing expires here)
        return self.url(key)

    def local_path(self, key: str) -> Path | None:
        checked_key(key)
        return None

    def is_waiting(self, key: str) -> bool:
        checked_key(key)
        return False

    async def condition(self) -> Condition:
        return Condition()

    async def writable(self) -> None:
        return
