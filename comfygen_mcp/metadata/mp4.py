"""MP4 and MOV: the boxes of metadata, read as texts, or turned into free space."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from comfygen_mcp.metadata.blanks import Blank, read_at, size_of

LARGEST = 64_000_000
"""Bytes of one box of metadata; a graph has far fewer."""

_PICTURE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"}
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TOLD = {b"udta", b"meta"}
_MOST_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class _Box:
    """A box; its content begins at *inside* and ends at *end*."""

    kind: bytes
    at: int
    inside: int
    end: int


def is_mp4(beginning: bytes) -> bool:
    """Tell a film; pictures in the same container keep in `meta` what they cannot be shown without."""
    return beginning[4:8] == b"ftyp" and beginning[8:12] not in _PICTURE_BRANDS


def blanks_in_mp4(file: BinaryIO) -> list[Blank]:
    """Return what is to be blanked; raises ValueError for a damaged file."""
    return [Blank(box.at, _as_free(box), box.end - box.at) for box in _told(file)]


def texts_in_mp4(file: BinaryIO) -> dict[str, str]:
    """Return the texts of the film itself by name, as FFmpeg writes them; raises ValueError when damaged."""
    found: dict[str, str] = {}
    for box in _told(file):
        if box.end - box.at > LARGEST:
            raise ValueError("its metadata is far longer than a graph")
        for meta in [box] if box.kind == b"meta" else _boxes(file, box.inside, box.end):
            if meta.kind == b"meta":
                found |= _texts(file, meta)
    return found


def _told(file: BinaryIO) -> Iterator[_Box]:
    for box in _boxes(file, 0, size_of(file)):
        if box.kind == b"moov":
            yield from _told_of_film(file, box)
        elif box.kind == b"udta" or (box.kind == b"uuid" and read_at(file, box.inside, 16) == _XMP):
            yield box


def _told_of_film(file: BinaryIO, moov: _Box) -> Iterator[_Box]:
    for box in _boxes(file, moov.inside, moov.end):
        if box.kind in _TOLD:
            yield box
        elif box.kind == b"trak":
            yield from (inner for inner in _boxes(file, box.inside, box.end) if inner.kind in _TOLD)


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[_Box]:
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack(">I4s", read_at(file, at, 8))
        inside = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", read_at(file, inside, 8))
            inside += 8
        until = at + size if size else end
        if until < inside or until > end:
            raise ValueError("it is cut short")
        yield _Box(kind, at, inside, until)
        at = until
    raise ValueError("it has far too many parts")


def _as_free(box: _Box) -> bytes:
    size = box.end - box.at
    return struct.pack(">I4s", size, b"free") if size < 1 << 32 else struct.pack(">I4sQ", 1, b"free", size)


def _texts(file: BinaryIO, meta: _Box) -> dict[str, str]:
    """Read `keys` and `ilst`: names, and the values that refer to them by number."""
    # ISO's box has four more bytes before its content than QuickTime's.
    inside = meta.inside if read_at(file, meta.inside + 4, 4) == b"hdlr" else meta.inside + 4
    parts = {box.kind: box for box in _boxes(file, inside, meta.end)}
    names = _names(file, parts[b"keys"]) if b"keys" in parts else []
    found: dict[str, str] = {}
    for item in _boxes(file, parts[b"ilst"].inside, parts[b"ilst"].end) if b"ilst" in parts else ():
        number = int.from_bytes(item.kind, "big")
        name = names[number - 1] if 1 <= number <= len(names) else _OWN_NAMES.get(item.kind)
        for data in _boxes(file, item.inside, item.end):
            if name and data.kind == b"data":
                value = read_at(file, data.inside, data.end - data.inside)[8:]
                found[name] = value.decode("utf-8", errors="replace")
    return found


_OWN_NAMES = {b"\xa9cmt": "comment", b"\xa9des": "description"}


def _names(file: BinaryIO, keys: _Box) -> list[str]:
    boxes = _boxes(file, keys.inside + 8, keys.end)
    names = [read_at(file, box.inside, box.end - box.inside) for box in boxes]
    return [name.decode("utf-8", errors="replace").casefold() for name in names]
