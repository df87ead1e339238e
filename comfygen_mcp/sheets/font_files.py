"""Font files, read just far enough to tell which characters they have and how heavy they are."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

MAX_FACES = 64
"""Faces that are looked at in one collection file."""
MAX_TABLE = 8_000_000
UNICODE_ENCODINGS = {(3, 10): 0, (0, 6): 1, (0, 4): 1, (3, 1): 2, (0, 3): 3, (0, 2): 3, (0, 1): 3, (0, 0): 3}
"""(platform, encoding) of character maps that speak Unicode, and their rank: the widest come first."""
NAME_FAMILY = 1


@dataclass(frozen=True, slots=True)
class CharacterMap:
    """A font's `cmap` subtable (format 4 or 12), searched in place: some have ten thousands of entries."""

    table: bytes

    def __contains__(self, codepoint: int) -> bool:
        try:
            form = _u16(self.table, 0)
            if form == 12:
                return self._in_groups(codepoint)
            return form == 4 and codepoint <= 0xFFFF and self._in_segments(codepoint)
        except struct.error:
            return False

    def _in_groups(self, codepoint: int) -> bool:
        low, high = 0, _u32(self.table, 12)
        while low < high:
            middle = (low + high) // 2
            first, last, glyph = struct.unpack_from(">III", self.table, 16 + 12 * middle)
            if codepoint > last:
                low = middle + 1
            elif codepoint < first:
                high = middle
            else:
                return glyph + codepoint - first != 0
        return False

    def _in_segments(self, codepoint: int) -> bool:
        count = _u16(self.table, 6) // 2
        ends, starts = 14, 16 + 2 * count
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if codepoint > _u16(self.table, ends + 2 * middle):
                low = middle + 1
            else:
                high = middle
        if low == count or codepoint < (first := _u16(self.table, starts + 2 * low)):
            return False
        delta, place = _u16(self.table, starts + 2 * count + 2 * low), starts + 4 * count + 2 * low
        offset = _u16(self.table, place)
        if offset == 0:
            return (codepoint + delta) & 0xFFFF != 0
        return _u16(self.table, place + offset + 2 * (codepoint - first)) != 0


@dataclass(frozen=True, slots=True)
class FontFace:
    """One face of a font file: what it has, and how it has to be opened."""

    path: Path
    index: int
    family: str
    weight: int
    italic: bool
    characters: CharacterMap
    colour: bool = False
    strike: int | None = None
    """Pixel size of its pictures, for a face that is made of them (most emoji fonts)."""
    variable: bool = False

    def has(self, cluster: str) -> bool:
        """Say whether the face has every visible character of *cluster*."""
        return all(ord(c) in self.characters for c in cluster if not is_joiner(c))


def is_joiner(character: str) -> bool:
    """Say whether *character* only steers how its neighbours are drawn, so that no glyph is needed."""
    return character in "\u200c\u200d\ufe0e\ufe0f" or 0xE0020 <= ord(character) <= 0xE007F


@lru_cache(maxsize=64)  # a CJK font's map alone is 200 kB
def faces_of(path: Path) -> tuple[FontFace, ...]:
    """Return the faces in a TrueType or OpenType file that can be used; none for a file of another kind."""
    try:
        with path.open("rb") as file:
            return tuple(face for face in _faces(path, file) if face)
    except (OSError, struct.error, ValueError, IndexError):
        return ()


def _faces(path: Path, file: BinaryIO) -> Iterator[FontFace | None]:
    start = file.read(12)
    if start[:4] != b"ttcf":
        yield _face(path, 0, _Tables(file, 0))
        return
    count = min(_u32(start, 8), MAX_FACES)
    offsets = struct.unpack(f">{count}I", file.read(4 * count))
    for index, offset in enumerate(offsets):
        yield _face(path, index, _Tables(file, offset))


class _Tables:
    """The tables of one face, read when they are asked for."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file = file
        file.seek(offset)
        count = min(_u16(file.read(12), 4), 256)
        records = struct.iter_unpack(">4sIII", file.read(16 * count))
        self._places = {tag: (start, size) for tag, _, start, size in records}

    def __contains__(self, tag: bytes) -> bool:
        return tag in self._places

    def read(self, tag: bytes, most: int = MAX_TABLE) -> bytes:
        start, size = self._places.get(tag, (0, 0))
        self._file.seek(start)
        return self._file.read(min(size, most))


def _face(path: Path, index: int, tables: _Tables) -> FontFace | None:
    characters = _character_map(tables.read(b"cmap"))
    if characters is None or _only_layered(tables):
        return None
    style = tables.read(b"OS/2", 78)
    return FontFace(
        path=path,
        index=index,
        family=_family(tables.read(b"name", 100_000)) or path.stem,
        weight=_u16(style, 4) if style else 400,
        italic=bool(style and _u16(style, 62) & 1),
        characters=characters,
        colour=any(tag in tables for tag in (b"CBDT", b"sbix", b"COLR")),
        strike=_strike(tables),
        variable=b"fvar" in tables,
    )


def _character_map(table: bytes) -> CharacterMap | None:
    """Return the widest Unicode map; None when there is none (symbol fonts, "last resort" fonts)."""
    if not table:
        return None
    found: list[tuple[int, int]] = []
    for place in range(4, 4 + 8 * min(_u16(table, 2), 64), 8):
        platform, encoding, offset = struct.unpack_from(">HHI", table, place)
        rank = UNICODE_ENCODINGS.get((platform, encoding))
        if rank is not None and _u16(table, offset) in (4, 12):
            found.append((rank, offset))
    return CharacterMap(table[min(found)[1] :]) if found else None


def _only_layered(tables: _Tables) -> bool:
    """Say whether a colour font is drawn by gradients (COLR 1), which FreeType leaves to its callers."""
    header = tables.read(b"COLR", 14)
    return len(header) == 14 and _u16(header, 0) == 1 and b"CBDT" not in tables and b"sbix" not in tables


def _strike(tables: _Tables) -> int | None:
    """Return the largest size that a bitmap font has pictures for."""
    if b"CBLC" in tables:
        table = tables.read(b"CBLC", 100_000)
        sizes = [table[8 + 48 * each + 44] for each in range(min(_u32(table, 4), 64))]
        return max(sizes, default=None)
    if b"sbix" in tables:
        table = tables.read(b"sbix")
        places = struct.unpack_from(f">{min(_u32(table, 4), 64)}I", table, 8)
        return max((_u16(table, place) for place in places), default=None)
    return None


def _family(table: bytes) -> str:
    if not table:
        return ""
    count, strings = _u16(table, 2), _u16(table, 4)
    for each in range(min(count, 512)):
        platform, _, _, name, length, offset = struct.unpack_from(">6H", table, 6 + 12 * each)
        if name == NAME_FAMILY and platform == 3:
            start = strings + offset
            return table[start : start + length].decode("utf-16-be", errors="replace")
    return ""


def _u16(data: bytes, place: int) -> int:
    return struct.unpack_from(">H", data, place)[0]


def _u32(data: bytes, place: int) -> int:
    return struct.unpack_from(">I", data, place)[0]
