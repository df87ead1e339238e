"""The database of an embedded index: found or made when first used, made anew when it is damaged.

Files are `index-<store>.v<version>.<number>.db`. A damaged one is given up for the next number: a name that
other processes may still have open is never used again, because the last to close it deletes its log by name.
"""

import contextlib
import hashlib
import logging
import re
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from comfygen_mcp.errors import IndexFailed
from comfygen_mcp.index.sqlite_file import IndexFile, is_damage
from comfygen_mcp.index.sqlite_schema import VERSION

READERS = 4
"""Searches that run at once; each has a connection of its own."""

_NAME = re.compile(r"\.v(\d+)\.(\d+)\.db")

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Database:
    """Runs work on the database of *store_name* in *folder*, in threads; raises IndexFailed."""

    def __init__(self, folder: Path, store_name: str, *, busy_s: float) -> None:
        self._folder = folder
        self._busy_s = busy_s
        self._stem = f"index-{hashlib.sha256(store_name.encode()).hexdigest()[:16]}"
        self._file: IndexFile | None = None
        self._opening = threading.Lock()
        self._reading = CapacityLimiter(READERS)
        self._writing = CapacityLimiter(1)

    async def read(self, work: Callable[[sqlite3.Connection], T], *, within_s: float | None = None) -> T:
        """Return what *work* finds at one moment; it is interrupted after *within_s*."""

        def on_file(file: IndexFile) -> T:
            with file.reading(within_s) as connection:
                return work(connection)

        return await to_thread.run_sync(partial(self._on_current, on_file), limiter=self._reading)

    async def write(self, work: Callable[[sqlite3.Connection, IndexFile], T]) -> T:
        """Do *work* in one transaction."""

        def on_file(file: IndexFile) -> T:
            with file.writing() as connection:
                return work(connection, file)

        return await to_thread.run_sync(partial(self._on_current, on_file), limiter=self._writing)

    async def aclose(self) -> None:
        """Close the file; it is opened again when it is used again."""
        await to_thread.run_sync(self._close, limiter=self._writing)

    def _on_current(self, work: Callable[[IndexFile], T]) -> T:
        try:
            return self._mended(work)
        except (sqlite3.Error, OSError) as error:
            raise IndexFailed(f"The gallery's index cannot be used: {_reason(error)}") from error

    def _mended(self, work: Callable[[IndexFile], T]) -> T:
        """Return what *work* finds; where the file is damaged, what it finds in a new one."""
        file = self._current()
        try:
            return work(file)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
        self._give_up(file)
        return work(self._current())

    def _current(self) -> IndexFile:
        with self._opening:
            if self._file is None or not self._file.path.exists():
                if self._file is not None:
                    self._file.close()
                self._file = self._opened()
            return self._file

    def _opened(self) -> IndexFile:
        self._folder.mkdir(parents=True, exist_ok=True)
        number = max((number for version, number, _ in self._files() if version == VERSION), default=1)
        while not (file := IndexFile(self._path(number), busy_s=self._busy_s)).usable():
            _log.warning("the gallery's index %s cannot be used; it is built again", file.path.name)
            file.close()
            number += 1
        self._remove_older(number)
        return file

    def _give_up(self, file: IndexFile) -> None:
        with self._opening:
            if self._file is not file:  # another thread was faster
                return
            _log.warning("the gallery's index %s is damaged; it is built again", file.path.name)
            file.close()
            self._file = None
            found = _NAME.fullmatch(file.path.name.removeprefix(self._stem))
            number = int(found[2]) + 1 if found else 1
            self._path(number).touch()
            self._remove_older(number)

    def _remove_older(self, number: int) -> None:
        for older, path in ((key[:2], key[2]) for key in self._files()):
            if older < (VERSION, number):
                for suffix in ("", "-wal", "-shm"):
                    # Where open files cannot be removed, the next start does it.
                    with contextlib.suppress(OSError):
                        path.with_name(path.name + suffix).unlink(missing_ok=True)

    def _files(self) -> list[tuple[int, int, Path]]:
        found = ((_NAME.fullmatch(path.name.removeprefix(self._stem)), path) for path in self._listed())
        return [(int(match[1]), int(match[2]), path) for match, path in found if match]

    def _listed(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._stem}.v*.db"))

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._stem}.v{VERSION}.{number}.db"

    def _close(self) -> None:
        with self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None


_ADVICE = "Give this user the right to its folder, or set another folder as `index` in comfygen.yaml."
_REASONS = {
    sqlite3.SQLITE_BUSY: "another process is writing to it and does not end. Try again.",
    sqlite3.SQLITE_FULL: "the disk is full. Free some space, or set another folder as `index`.",
    sqlite3.SQLITE_READONLY: f"it cannot be written. {_ADVICE}",
    sqlite3.SQLITE_CANTOPEN: f"its file cannot be opened. {_ADVICE}",
    sqlite3.SQLITE_PERM: f"its file cannot be opened. {_ADVICE}",
    sqlite3.SQLITE_IOERR: "the disk reports an error. Check it, or set another folder as `index`.",
    sqlite3.SQLITE_INTERRUPT: "the search took too long. Narrow it.",
}


def _reason(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}. {_ADVICE}"
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return _REASONS.get(code, f"{error}. Build it again with `comfygen gallery reindex`.")
