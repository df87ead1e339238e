"""The spool on disk: files that wait for delivery and the order in which they came; processes may share it.

    files/<key>           what waits, under its own key
    queue/<number>.json   one entry per write, in order

The entry is written before its file, and the file goes before its entry: an entry without a file is a write
that never ended, or a delivery that did.
"""

import contextlib
import logging
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.models import Record
from comfygen_mcp.stores.durable import write_whole
from comfygen_mcp.stores.keys import checked_key

LOCKED_S = 60.0
"""Longest wait for another process that is writing to the spool."""

_log = logging.getLogger(__name__)


class Entry(Record):
    """One write that waits."""

    number: int = Field(ge=0)
    key: str
    mime: str
    metadata: dict[str, str] = Field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Waiting:
    """An entry with its file as it is now; *version* changes when the file is replaced."""

    entry: Entry
    path: Path
    size: int
    version: tuple[int, int, int]


class Journal:
    """Blocking calls on the folder of one spool; those that change something exclude each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self._queue = folder / "queue"

    def is_empty(self) -> bool:
        return not self._numbers()

    def count(self) -> int:
        return len(self._numbers())

    def path(self, key: str) -> Path:
        """Return where the file of *key* lies while it waits."""
        return self.files / checked_key(key)

    def append(
        self, key: str, fill: Callable[[BinaryIO], object], *, mime: str, metadata: Mapping[str, str]
    ) -> None:
        """Add what *fill* writes as the last to be delivered; it is on the disk when this returns."""
        with self._changing():
            number = max(self._numbers(), default=-1) + 1
            entry = Entry(number=number, key=key, mime=mime, metadata=dict(metadata))
            place = self._place(number)
            write_whole(place, partial(_write, entry.model_dump_json().encode()))
            try:
                write_whole(self.path(key), fill)
            except BaseException:
                place.unlink(missing_ok=True)
                raise

    def waiting(self) -> list[Waiting]:
        """Return what waits, in order; entries without a file are struck out."""
        found: list[Waiting] = []
        for number in self._numbers():
            entry = self._entry(number)
            if entry is not None and (waits := self._with_file(entry)):
                found.append(waits)
        return found

    def strike(self, delivered: Waiting) -> bool:
        """Remove what was delivered, unless it was replaced meanwhile; False when it was discarded."""
        with self._changing():
            if not self._place(delivered.entry.number).exists():
                return False
            if _version(delivered.path) == delivered.version:
                self._remove_file(delivered.path)
                self._place(delivered.entry.number).unlink(missing_ok=True)
            return True

    def discard(self, key: str) -> None:
        """Forget what waits under *key*."""
        with self._changing():
            self._remove_file(self.path(key))
            for number in self._numbers():
                entry = self._entry(number)
                if entry is not None and entry.key == key:
                    self._place(number).unlink(missing_ok=True)

    @contextlib.contextmanager
    def delivering(self) -> Generator[bool]:
        """Tell whether it is this process's turn to deliver; only one has it at a time."""
        lock = FileLock(self.folder / "deliver.lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    @contextlib.contextmanager
    def _changing(self) -> Generator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "change.lock", timeout=LOCKED_S, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise StoreFailed(
                f"The spool is locked by another process for more than {LOCKED_S:.0f} s. "
                "Look for a comfygen process that hangs, or set another folder as `spool`."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _numbers(self) -> list[int]:
        try:
            names = [path.stem for path in self._queue.iterdir() if path.suffix == ".json"]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(name) for name in names if name.isdecimal())

    def _place(self, number: int) -> Path:
        return self._queue / f"{number:012d}.json"

    def _entry(self, number: int) -> Entry | None:
        place = self._place(number)
        try:
            return Entry.model_validate_json(place.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            # Its file stays; a person may look at it. What comes behind it must not wait for ever.
            _log.error("the spool's entry %s is unreadable and set aside", place.name)
            place.rename(place.with_suffix(".unreadable"))
            return None

    def _with_file(self, entry: Entry) -> Waiting | None:
        path = self.path(entry.key)
        version = _version(path)
        if version is None:
            with self._changing():
                # Another process may have been between the entry and its file.
                version = _version(path)
                if version is None:
                    self._place(entry.number).unlink(missing_ok=True)
                    return None
        return Waiting(entry, path, version[1], version)

    def _remove_file(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.files:
                return
            try:
                folder.rmdir()
            except OSError:  # something else waits in it
                return


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)
