"""Takes out of a file what it tells about its making; pixels and sound stay as they are, bit for bit."""

import io
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from comfygen_mcp.metadata import flac, jpeg, png, webm
from comfygen_mcp.metadata.blanks import Blank
from comfygen_mcp.metadata.flac import blanks_in_flac
from comfygen_mcp.metadata.jpeg import stripped_jpeg
from comfygen_mcp.metadata.mp4 import blanks_in_mp4, is_mp4
from comfygen_mcp.metadata.png import stripped_png
from comfygen_mcp.metadata.webm import blanks_in_webm
from comfygen_mcp.metadata.webp import is_webp, stripped_webp

CLEANED = "PNG, JPEG, WebP, MP4, MOV, WebM and FLAC"
"""The kinds whose metadata can be taken out."""
LARGEST_PICTURE = 512_000_000
"""Bytes that are read of a picture; a larger one counts as damaged."""

_BEGINNING = 16


def stripped(data: bytes) -> bytes | None:
    """Return *data* without metadata, None when it is damaged or of a kind that this cannot be done for."""
    beginning = data[:_BEGINNING]
    try:
        if rewrite := _rewriting(beginning):
            return rewrite(data)
        if find := _blanking(beginning):
            file = io.BytesIO(data)
            _blank(file, find(file))
            return file.getvalue()
    except (ValueError, struct.error):
        return None
    return None


def strip_file(source: Path, target: Path) -> bool:
    """Write to *target* what *source* is without metadata; False, and no file, as above.

    A film is never in memory as a whole.
    """
    with source.open("rb") as file:
        beginning = file.read(_BEGINNING)
        find = _blanking(beginning)
        if find is None:
            file.seek(0)
            data = stripped(file.read(LARGEST_PICTURE))
            if data is not None:
                target.write_bytes(data)
            return data is not None
        try:
            blanks = find(file)
        except ValueError:
            return False
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        _blank(file, blanks)
    return True


def _rewriting(beginning: bytes) -> Callable[[bytes], bytes] | None:
    if beginning.startswith(png.SIGNATURE):
        return stripped_png
    if beginning.startswith(jpeg.SIGNATURE):
        return stripped_jpeg
    return stripped_webp if is_webp(beginning) else None


def _blanking(beginning: bytes) -> Callable[[BinaryIO], list[Blank]] | None:
    if is_mp4(beginning):
        return blanks_in_mp4
    if beginning.startswith(webm.SIGNATURE):
        return blanks_in_webm
    return blanks_in_flac if beginning.startswith(flac.SIGNATURE) else None


def _blank(file: BinaryIO, blanks: list[Blank]) -> None:
    for blank in blanks:
        blank.write(file)
