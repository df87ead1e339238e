"""PNG: the chunks that a picture needs, without those that say how it was made."""

import struct
import zlib
from collections.abc import Iterator

from comfygen_mcp.metadata.exif import orientation_only

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_SHOWN = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"tRNS", b"bKGD", b"hIST", b"pHYs"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"mDCV", b"cLLI", b"mDCv", b"cLLi"),
}
"""What changes how a picture looks; any other chunk is text of some kind, ComfyUI's own `comf` too."""


def stripped_png(data: bytes) -> bytes:
    """Return the same picture; raises ValueError for a damaged file. What follows its end is left out."""
    return SIGNATURE + b"".join(_kept(data))


def _kept(data: bytes) -> Iterator[bytes]:
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise ValueError("it is cut short")
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data):
            raise ValueError("it is cut short")
        if kind in _SHOWN:
            yield data[at:end]
        elif kind == b"eXIf" and (turned := orientation_only(data[at + 8 : end - 4])):
            yield (
                struct.pack(">I4s", len(turned), kind) + turned + struct.pack(">I", zlib.crc32(kind + turned))
            )
        if kind == b"IEND":
            return
        at = end
