"""The graph that ComfyUI writes into its pictures: PNG text, or the EXIF of a WebP."""

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NoReturn, cast

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import JsonValue, Record

LARGEST_TEXT = 16_000_000
"""A graph of thousands of nodes has less; a compressed text could claim to be anything."""

_PNG = b"\x89PNG\r\n\x1a\n"
_ASCII = 2
_KEYS = ("prompt", "workflow")


class Carried(Record):
    """What a picture carries: *graph*, as it was queued, or *editor*, as the editor had it, or both."""

    graph: dict[str, JsonValue] | None = None
    editor: dict[str, JsonValue] | None = None


def graph_in_picture(data: bytes) -> Carried | None:
    """Return what the picture *data* carries, None without a graph; raises BadRequest for a damaged one."""
    texts = dict(_texts(data))
    found = {key: _json_object(key, texts[key]) for key in _KEYS if key in texts}
    if not any(found.values()):
        return None
    return Carried(graph=found.get("prompt"), editor=found.get("workflow"))


def _texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(_PNG):
        for kind, body in _png_chunks(data):
            if kind in {b"tEXt", b"zTXt", b"iTXt"}:
                yield _png_text(kind, body)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        for kind, body in _riff_chunks(data):
            if kind == b"EXIF":
                yield from _exif_texts(body.removeprefix(b"Exif\x00\x00"))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        if at + 12 > len(data):
            _damaged("it is cut short")
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if at > len(data):
            _damaged("it is cut short")
        if struct.unpack_from(">I", data, at - 4)[0] != zlib.crc32(kind + body):
            _damaged(f"the checksum of its {kind.decode('latin-1')} part is wrong")
        yield kind, body
        if kind == b"IEND":
            return


def _png_text(kind: bytes, body: bytes) -> tuple[str, bytes]:
    name, _, rest = body.partition(b"\x00")
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\x01", rest[2:]
        rest = rest.partition(b"\x00")[2].partition(b"\x00")[2]
        return name.decode("latin-1"), _unpacked(rest) if packed else rest
    if kind == b"zTXt":
        return name.decode("latin-1"), _as_utf8(_unpacked(rest[1:]))
    return name.decode("latin-1"), _as_utf8(rest)


def _as_utf8(text: bytes) -> bytes:
    """Return text that the format says is Latin-1, and some programs write as UTF-8 all the same."""
    try:
        return text.decode().encode()
    except UnicodeDecodeError:
        return text.decode("latin-1").encode()


def _unpacked(packed: bytes) -> bytes:
    try:
        text = zlib.decompressobj().decompress(packed, LARGEST_TEXT + 1)
    except zlib.error:
        _damaged("its compressed text cannot be read")
    if len(text) > LARGEST_TEXT:
        _damaged("its text is far longer than a graph")
    return text


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            _damaged("it is cut short")
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _exif_texts(exif: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the texts of the first directory of a TIFF; ComfyUI writes each as `prompt:{...}`."""
    try:
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        entries = [struct.unpack_from(f"{order}HHII", exif, first + 2 + 12 * at) for at in range(count)]
    except (KeyError, struct.error):
        _damaged("its EXIF cannot be read")
    for _, kind, size, at in entries:
        if kind == _ASCII:
            name, colon, text = exif[at : at + size].rstrip(b"\x00").partition(b":")
            if colon:
                yield name.decode("latin-1").lower(), text


def _json_object(key: str, text: bytes) -> dict[str, JsonValue] | None:
    """Return the JSON object of *text*; other programs use the same names for plain text, which is none."""
    if len(text) > LARGEST_TEXT:
        _damaged(f"its {key} is far longer than a graph")
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        _damaged(f"its {key} is no JSON")
    return cast("dict[str, JsonValue]", value)


def _damaged(how: str) -> NoReturn:
    raise BadRequest(
        f"The picture is damaged: {how}. Use the file that ComfyUI wrote, not a copy that another program "
        "saved or cut."
    )
