"""Files that are there whole or not at all, also after a power cut."""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from comfygen_mcp.stores.keys import TEMPORARY


def write_whole(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Let *fill* write the file *target*; readers see the old one or the new one, never a part."""
    _make_folder(target.parent)
    unfinished = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        with unfinished.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(target.parent)


def copy_into(source: Path, file: BinaryIO) -> None:
    """Write the bytes of *source* to *file*, a little at a time."""
    with source.open("rb") as original:
        shutil.copyfileobj(original, file, 1 << 20)


def _make_folder(folder: Path) -> None:
    """Make *folder* and those above it, each known to the disk before something is put in it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder; there the rename itself has to do.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
