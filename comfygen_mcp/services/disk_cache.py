"""Files that can be made again, kept on this machine's disk within a bound."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

SHARDS = 64
"""Folders that share the room evenly; each is kept within its part alone."""


def place(cache: Path, tag: str, suffix: str) -> Path:
    """Return where the file of *tag*, a hexadecimal digest, belongs."""
    return cache / f"{int(tag[:4], 16) % SHARDS:02x}" / f"{tag}{suffix}"


def keep(path: Path, write: Callable[[Path], bool], *, most_bytes: int) -> bool:
    """Let *write* make the file, which is there whole or not at all; False when there is none to make.

    Those of its folder that were not looked at for longest go, until the rest takes at most *most_bytes*; the
    new one stays. Raises OSError when the disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        made = write(part)
        if made:
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _shrink(path.parent, path, most_bytes)
    return made


def looked_at(path: Path) -> bool:
    """Tell whether the file is there, and remember that it was wanted."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def _shrink(folder: Path, newest: Path, most_bytes: int) -> None:
    with os.scandir(folder) as found:
        files = sorted(((file.stat(), Path(file.path)) for file in found), key=_when, reverse=True)
    total = 0
    for facts, path in files:
        total += facts.st_size
        if total > most_bytes and path != newest:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _when(file: tuple[os.stat_result, Path]) -> float:
    return file[0].st_mtime
