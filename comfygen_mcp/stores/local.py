"""A store in a local folder; a file is there whole or not at all, also after a power cut."""

import contextlib
import os
import secrets
import stat as file_stat
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.stores.base import Condition, StoredFile
from comfygen_mcp.stores.durable import put_whole, write_whole
from comfygen_mcp.stores.keys import TEMPORARY, checked_key, is_key, mime_of

LEFTOVER_AFTER_S = 24 * 3600
"""A temporary file this old belongs to a write that crashed."""

T = TypeVar("T")


class LocalStore:
    """A Store in *folder*, which is made when something is first written."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(os.path.abspath(folder))  # noqa: PTH100  (Path.resolve would touch the disk)

    @property
    def name(self) -> str:
        return f"local folder {self._folder}"

    async def put_file(
        self,
        key: str,
        path: Path,
        *,
        mime: str,  # noqa: ARG002  (a folder keeps no MIME type: the sidecar does)
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002  (as above)
    ) -> None:
        await self._on_disk("write", key, partial(self._write, key, partial(put_whole, source=path)))

    async def put_bytes(
        self,
        key: str,
        data: bytes,
        *,
        mime: str,  # noqa: ARG002  (as above)
    ) -> None:
        write = partial(write_whole, fill=lambda file: file.write(data))
        await self._on_disk("write", key, partial(self._write, key, write))

    async def read(self, key: str) -> bytes:
        return await self._on_disk("read", key, lambda: self._inside(key).read_bytes())

    async def stat(self, key: str) -> StoredFile | None:
        return await self._on_disk("read", key, partial(self._stat, key))

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncGenerator[StoredFile]:
        """Yield in key order, one folder in memory at a time; links and unfinished files are left out."""
        pending = [_Entry("")]
        while pending:
            entry = pending.pop()
            if entry.file:
                yield entry.file
            elif _may_hold(entry.key, prefix, start_after):
                entries = await self._on_disk("list", entry.key or "/", partial(self._entries, entry.key))
                wanted = [e for e in entries if not e.file or _wanted(e.key, prefix, start_after)]
                pending += sorted(wanted, key=lambda e: e.key, reverse=True)

    async def delete(self, key: str) -> None:
        await self._on_disk("delete", key, partial(self._delete, key))

    def url(self, key: str) -> str:
        return self._path(key).as_uri()

    async def link(self, key: str, *, expires_s: int) -> str:  # noqa: ARG002  (a file does not expire)
        return self.url(key)

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    def is_waiting(self, key: str) -> bool:
        checked_key(key)
        return False

    async def condition(self) -> Condition:
        return Condition()

    async def writable(self) -> None:
        """Write and remove a small file; raises StoreFailed with the reason when that does not work."""
        probe = f"probe-{secrets.token_hex(8)}"
        await self.put_bytes(probe, b"", mime="application/octet-stream")
        await self.delete(probe)

    async def _on_disk(self, verb: str, key: str, work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            text = f"Cannot {verb} {key!r} in the {self.name}: {reason}. {_advice(error, verb)}"
            raise StoreFailed(text) from error

    def _path(self, key: str) -> Path:
        return self._folder / checked_key(key)

    def _inside(self, key: str) -> Path:
        """Return the path of *key*; raises BadRequest when links lead it out of the folder."""
        path = self._path(key)
        # A loop of links leads nowhere: Python 3.11 and 3.12 raise RuntimeError for it.
        with contextlib.suppress(RuntimeError):
            if path.resolve().is_relative_to(self._folder.resolve()):
                return path
        raise BadRequest(
            f"The key {key!r} leads out of the store by a link. Remove the link from its folder."
        )

    def _write(self, key: str, write: Callable[[Path], None]) -> None:
        self._inside(key.rpartition("/")[0] or key)
        write(self._path(key))

    def _delete(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._inside(key).unlink()

    def _stat(self, key: str) -> StoredFile | None:
        try:
            found = self._inside(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _stored(key, found) if file_stat.S_ISREG(found.st_mode) else None

    def _entries(self, folder: str) -> "list[_Entry]":
        try:
            with os.scandir(self._folder / folder) as entries:
                return list(_usable(entries, folder))
        except FileNotFoundError:
            return []


@dataclass(frozen=True)
class _Entry:
    """A file, or a folder, met while listing; a folder's key ends with `/`, which puts it in key order."""

    key: str
    file: StoredFile | None = None


def _usable(entries: Iterator[os.DirEntry[str]], folder: str) -> Iterator[_Entry]:
    for entry in entries:
        key = folder + entry.name
        # Another process may delete what is being listed.
        with contextlib.suppress(FileNotFoundError):
            if entry.name.startswith(TEMPORARY):
                _sweep(entry)
            elif entry.is_dir(follow_symlinks=False) and is_key(key):
                yield _Entry(f"{key}/")
            elif entry.is_file(follow_symlinks=False) and is_key(key):
                yield _Entry(key, _stored(key, entry.stat(follow_symlinks=False)))


def _sweep(entry: os.DirEntry[str]) -> None:
    if time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AFTER_S:
        Path(entry.path).unlink()


def _may_hold(folder: str, prefix: str, start_after: str) -> bool:
    fits = folder.startswith(prefix) or prefix.startswith(folder)
    return fits and (folder > start_after or start_after.startswith(folder))


def _wanted(key: str, prefix: str, start_after: str) -> bool:
    return key.startswith(prefix) and key > start_after


def _stored(key: str, status: os.stat_result) -> StoredFile:
    modified = datetime.fromtimestamp(status.st_mtime, tz=UTC)
    return StoredFile(key=key, size_bytes=status.st_size, modified=modified, mime=mime_of(key))


def _advice(error: OSError, verb: str) -> str:
    match error:
        case FileNotFoundError() if verb == "read":
            return "Nothing is stored under this key."
        case FileExistsError() | NotADirectoryError() | IsADirectoryError():
            return "A file stands where a folder is needed, or the other way round: move it away."
        case PermissionError():
            return "Give this user the right to it, or set another folder as `store`."
        case _:
            return "Check the disk, or set another folder as `store` in comfygen.yaml."
