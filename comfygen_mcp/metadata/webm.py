"""WebM and Matroska: the element of tags, read as texts, or turned into a void."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from comfygen_mcp.metadata.blanks import Blank, read_at, size_of
from comfygen_mcp.metadata.mp4 import LARGEST

SIGNATURE = b"\x1aE\xdf\xa3"

_SEGMENT, _TAGS = 0x18538067, 0x1254C367
_TAG, _SIMPLE, _NAME, _STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
_VOID = b"\xec"
_MOST_ELEMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Element:
    """An element; its content begins at *inside* and ends at *end*."""

    identifier: int
    at: int
    inside: int
    end: int


def blanks_in_webm(file: BinaryIO) -> list[Blank]:
    """Return what is to be blanked; raises ValueError for a damaged file."""
    return [Blank(tags.at, _void(tags.end - tags.at), tags.end - tags.at) for tags in _tags(file)]


def texts_in_webm(file: BinaryIO) -> dict[str, str]:
    """Return the tags of the file by name; raises ValueError when it is damaged."""
    found: dict[str, str] = {}
    for tags in _tags(file):
        if tags.end - tags.at > LARGEST:
            raise ValueError("its metadata is far longer than a graph")
        for tag in _elements(file, tags.inside, tags.end):
            if tag.identifier == _TAG:
                found |= _simple_tags(file, tag)
    return found


def _simple_tags(file: BinaryIO, tag: _Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for simple in _elements(file, tag.inside, tag.end):
        if simple.identifier == _SIMPLE:
            parts = {
                part.identifier: read_at(file, part.inside, part.end - part.inside)
                for part in _elements(file, simple.inside, simple.end)
            }
            name = parts.get(_NAME, b"").decode("utf-8", errors="replace").casefold()
            found[name] = parts.get(_STRING, b"").decode("utf-8", errors="replace")
    return found


def _tags(file: BinaryIO) -> Iterator[_Element]:
    for element in _elements(file, 0, size_of(file)):
        if element.identifier == _SEGMENT:
            inner = _elements(file, element.inside, element.end)
            yield from (part for part in inner if part.identifier == _TAGS)


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[_Element]:
    for _ in range(_MOST_ELEMENTS):
        if at >= end:
            return
        identifier, behind = _number(file, at, keep_marker=True)
        size, inside = _number(file, behind, keep_marker=False)
        unknown = size == (1 << 7 * (inside - behind)) - 1
        if unknown and identifier != _SEGMENT:
            raise ValueError("it was written as a stream, whose parts have no length")
        until = end if unknown else inside + size
        if until > end:
            raise ValueError("it is cut short")
        yield _Element(identifier, at, inside, until)
        at = until
    raise ValueError("it has far too many parts")


def _number(file: BinaryIO, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """Return a number of variable length, and where it ends; leading zero bits tell its length."""
    first = read_at(file, at, 1)[0]
    length = 9 - first.bit_length()
    if length > 8:
        raise ValueError("it has an unreadable part")
    number = int.from_bytes(read_at(file, at, length), "big")
    return number if keep_marker else number & ((1 << 7 * length) - 1), at + length


def _void(size: int) -> bytes:
    """Return the beginning of an element of *size* bytes that means nothing."""
    if size < 2 + 126:
        return _VOID + bytes((0x80 | (size - 2),))
    return _VOID + (size - 9 | 1 << 56).to_bytes(8, "big")
