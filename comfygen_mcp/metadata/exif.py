"""EXIF: of all that it may say, only how the picture is turned is needed to show it."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3


def orientation_only(exif: bytes) -> bytes | None:
    """Return an EXIF that says how the picture is turned and nothing else; None when it is upright."""
    try:
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        entries = [struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * at) for at in range(count)]
    except (KeyError, struct.error):
        return None
    turned = [value for tag, kind, _, value in entries if tag == _ORIENTATION and kind == _SHORT]
    if not turned or not 2 <= turned[0] <= 8:
        return None
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, _SHORT, 1, turned[0], 0, 0)
