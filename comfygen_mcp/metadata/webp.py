"""WebP: the chunks that a picture needs, without EXIF and XMP."""

import struct
from collections.abc import Iterator

from comfygen_mcp.metadata.exif import orientation_only

_SHOWN = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_HAS_EXIF, _HAS_XMP = 0x08, 0x04


def is_webp(beginning: bytes) -> bool:
    return beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP"


def stripped_webp(data: bytes) -> bytes:
    """Return the same picture; raises ValueError for a damaged file. What follows its end is left out."""
    body = b"".join(_kept(data))
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body


def _kept(data: bytes) -> Iterator[bytes]:
    chunks = list(_chunks(data))
    exif = next((body for kind, body in chunks if kind == b"EXIF"), b"")
    turned = orientation_only(exif.removeprefix(b"Exif\x00\x00"))
    for kind, body in chunks:
        if kind == b"VP8X" and body:
            flags = body[0] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if turned else 0)
            yield _chunk(kind, bytes((flags,)) + body[1:])
        elif kind in _SHOWN:
            yield _chunk(kind, body)
    if turned:
        yield _chunk(b"EXIF", turned)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise ValueError("it is cut short")
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > end:
            raise ValueError("it is cut short")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(body)) + body + b"\x00" * (len(body) % 2)
