"""FLAC: the block of comments, read as texts, or turned into padding."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from comfygen_mcp.metadata.blanks import Blank, read_at

SIGNATURE = b"fLaC"

_PADDING, _APPLICATION, _COMMENTS = 1, 2, 4
_LAST = 0x80


def blanks_in_flac(file: BinaryIO) -> list[Blank]:
    """Return what is to be blanked; raises ValueError for a damaged file."""
    return [
        Blank(at, bytes((last | _PADDING,)) + size.to_bytes(3, "big"), 4 + size)
        for at, last, kind, size in _blocks(file)
        if kind in (_APPLICATION, _COMMENTS)
    ]


def texts_in_flac(file: BinaryIO) -> dict[str, str]:
    """Return the comments by name; raises ValueError for a damaged file."""
    found: dict[str, str] = {}
    for at, _, kind, size in _blocks(file):
        if kind == _COMMENTS:
            for comment in _comments(read_at(file, at + 4, size)):
                name, _, text = comment.decode("utf-8", errors="replace").partition("=")
                found[name.casefold()] = text
    return found


def _blocks(file: BinaryIO) -> Iterator[tuple[int, int, int, int]]:
    """Yield where each block begins, whether it is the last, its kind and the size of its content."""
    at, last = len(SIGNATURE), 0
    while not last:
        head = read_at(file, at, 4)
        last, kind, size = head[0] & _LAST, head[0] & ~_LAST, int.from_bytes(head[1:], "big")
        read_at(file, at + 4 + max(size - 1, 0), min(size, 1))
        yield at, last, kind, size
        at += 4 + size


def _comments(block: bytes) -> Iterator[bytes]:
    try:
        (vendor,) = struct.unpack_from("<I", block)
        (count,) = struct.unpack_from("<I", block, 4 + vendor)
        at = 8 + vendor
        for _ in range(min(count, len(block))):
            (size,) = struct.unpack_from("<I", block, at)
            yield block[at + 4 : at + 4 + size]
            at += 4 + size
    except struct.error as error:
        raise ValueError("its comments are cut short") from error
