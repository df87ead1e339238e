"""JPEG: the segments that a picture needs, without EXIF, XMP, IPTC and comments."""

import struct
from collections.abc import Iterator

from comfygen_mcp.metadata.exif import orientation_only

SIGNATURE = b"\xff\xd8\xff"

_END, _SCAN = 0xD9, 0xDA
_COMMENT = 0xFE
_EXIF, _COLOUR_PROFILE = b"Exif\x00\x00", b"ICC_PROFILE\x00"


def stripped_jpeg(data: bytes) -> bytes:
    """Return the same picture; raises ValueError for a damaged file. What follows its end is left out."""
    return data[:2] + b"".join(_kept(data))


def _kept(data: bytes) -> Iterator[bytes]:
    at = 2
    while True:
        at, marker = _marker(data, at)
        if marker == _END:
            yield b"\xff\xd9"
            return
        end = at + _length(data, at)
        segment = data[at:end]
        if _is_shown(marker, segment[2:]):
            yield bytes((0xFF, marker)) + segment
        elif turned := _turned(marker, segment[2:]):
            yield struct.pack(">BBH", 0xFF, marker, 2 + len(turned)) + turned
        at = end
        if marker == _SCAN:
            end = _end_of_scan(data, at)
            yield data[at:end]
            at = end


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """Return where the segment behind the marker at *at* begins, and the marker; 0xFF may be repeated."""
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    if data[at : at + 1] != b"\xff" or at + 2 > len(data):
        raise ValueError("it is cut short, or not a JPEG throughout")
    return at + 2, data[at + 1]


def _length(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise ValueError("it is cut short")
    (length,) = struct.unpack_from(">H", data, at)
    if length < 2 or at + length > len(data):
        raise ValueError("it is cut short")
    return length


def _is_shown(marker: int, body: bytes) -> bool:
    """Tell what changes how the picture looks: JFIF, the colour profile, Adobe's colours, the coding."""
    if marker == _COMMENT:
        return False
    if 0xE0 <= marker <= 0xEF:
        return marker in (0xE0, 0xEE) or (marker == 0xE2 and body.startswith(_COLOUR_PROFILE))
    return True


def _turned(marker: int, body: bytes) -> bytes | None:
    if marker != 0xE1 or not body.startswith(_EXIF):
        return None
    turned = orientation_only(body.removeprefix(_EXIF))
    return _EXIF + turned if turned else None


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the entropy-coded data ends; in it, 0xFF stands before 0 or a restart marker only."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise ValueError("it is cut short")
        following = data[at + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7 and following != 0xFF:
            return at
        at += 1 if following == 0xFF else 2
