"""Files that are there whole or not at all, also after a power cut."""

import os
import secrets
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from comfygen_mcp.stores.keys import TEMPORARY


def write_whole(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Let *fill* write the file *target*; readers see the old one or the new one, never a part."""
    with _replacing(target) as unfinished, unfinished.open("xb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def put_whole(target: Path, source: Path) -> None:
    """Make *target* what *source* is, as above: a second name for the same bytes, else a copy of them."""
    with _replacing(target) as unfinished:
        try:
            # Resolved, because a second name of a link would be a link.
            os.link(source.resolve(), unfinished)
        except OSError:
            # Another disk, or one without hard links; if something else is wrong, copying tells it.
            shutil.copyfile(source, unfinished)
        _sync(unfinished, os.O_RDONLY if os.name == "posix" else os.O_RDWR)


def copy_into(source: Path, file: BinaryIO) -> None:
    """Write the bytes of *source* to *file*, a little at a time."""
    with source.open("rb") as original:
        shutil.copyfileobj(original, file, 1 << 20)


@contextmanager
def _replacing(target: Path) -> Generator[Path]:
    """Yield a name beside *target*; the file that is made there takes its place."""
    _make_folder(target.parent)
    unfinished = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """Make *folder* and those above it, each known to the disk before something is put in it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder; there the rename itself has to do.
    if os.name == "posix":
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
