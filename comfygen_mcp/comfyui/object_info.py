"""Declarations of node classes that servers have given, kept in memory and as files of one folder."""

import contextlib
import hashlib
import json
import shutil
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from anyio import to_thread

from comfygen_mcp.comfyui.shapes import mapping
from comfygen_mcp.models import JsonValue

LIFE_S = 86_400.0
"""A node pack may be updated while the server keeps its version: after a day it is asked again."""

MOST_CLASSES = 1000
"""... of one server; and so many in memory."""
MOST_SERVERS = 16
LARGEST_FILE = 2_000_000


class Key(NamedTuple):
    """A node class of one server, in one version of it."""

    server: str
    version: str
    class_type: str


class Kept(NamedTuple):
    """A declaration, and the time (of the clock on the wall) when the server gave it."""

    declared: Mapping[str, JsonValue]
    at: float


class DeclarationCache:
    """Bounded, shared by all clients; *folder* None keeps nothing beyond the process.

    A file that cannot be read or written is no reason to fail: then the server is asked.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: OrderedDict[Key, Kept] = OrderedDict()

    async def get(self, key: Key, *, on_disk: bool = True) -> Kept | None:
        """Return what is kept under *key*, unless it is too old."""
        kept = self._memory.get(key)
        if kept is None and on_disk and self._folder is not None:
            kept = await to_thread.run_sync(_read, self._file(self._folder, key), key)
        if kept is None or not 0 <= time.time() - kept.at < LIFE_S:
            return None
        self._remember(key, kept)
        return kept

    async def put(self, key: Key, declared: Mapping[str, JsonValue], *, on_disk: bool = True) -> None:
        """Keep *declared*, given just now."""
        kept = Kept(declared, time.time())
        self._remember(key, kept)
        if on_disk and self._folder is not None:
            await to_thread.run_sync(_write, self._file(self._folder, key), key, kept)

    async def forget(self, key: Key) -> None:
        """Drop what is kept under *key*: it turned out to be wrong."""
        self._memory.pop(key, None)
        if self._folder is not None:
            await to_thread.run_sync(_remove, self._file(self._folder, key))

    def _remember(self, key: Key, kept: Kept) -> None:
        self._memory[key] = kept
        self._memory.move_to_end(key)
        while len(self._memory) > MOST_CLASSES:
            self._memory.popitem(last=False)

    def _file(self, folder: Path, key: Key) -> Path:
        return folder / _hash(f"{key.server}\n{key.version}") / f"{_hash(key.class_type)}.json"


def _hash(text: str) -> str:
    """Return a file name for any text: class names hold spaces, slashes and signs of every script."""
    return hashlib.sha256(text.encode("utf-8", errors="replace")).hexdigest()[:32]


def _read(file: Path, key: Key) -> Kept | None:
    try:
        if file.stat().st_size > LARGEST_FILE:
            return None
        written = mapping(json.loads(file.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None
    declared, at = mapping(written.get("declared")), written.get("at")
    if written.get("key") != list(key) or not declared or not isinstance(at, int | float):
        return None
    return Kept(declared, at)


def _write(file: Path, key: Key, kept: Kept) -> None:
    text = json.dumps({"key": list(key), "at": kept.at, "declared": dict(kept.declared)})
    if len(text) > LARGEST_FILE:
        return
    part = file.with_name(f"{uuid4().hex}.part")
    with contextlib.suppress(OSError):
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True, exist_ok=True)
            _drop_oldest(file.parent.parent, MOST_SERVERS)
        part.write_text(text, encoding="utf-8")
        part.replace(file)
        _drop_oldest(file.parent, MOST_CLASSES)
        return
    _remove(part)


def _drop_oldest(folder: Path, most: int) -> None:
    entries = list(folder.iterdir())
    for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime)[: max(len(entries) - most, 0)]:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            _remove(entry)


def _remove(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()
