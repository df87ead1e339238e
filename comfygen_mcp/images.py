"""Previews: pictures made small enough for an agent's context."""

import io
import math
import struct
import warnings
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

PREVIEW_MAX_BYTES = 150_000
"""Raw bytes of one inline preview; clients refuse or truncate results far above this."""
PREVIEW_EDGES = (768, 640, 512, 384, 256)
PREVIEW_MIME = "image/webp"
SHEET_EDGE = 1024
"""Longest edge of a contact sheet: each of its pictures is smaller than a preview."""
SHEET_GAP = 6
SHEET_COLOUR = (28, 28, 30)
SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
)
"""Offset, bytes, MIME type."""
MAX_PIXELS = 64_000_000
"""Pictures above this are not decoded (a decompression bomb, or a file for other tools)."""
UNREADABLE = (
    *(OSError, ValueError, SyntaxError, RuntimeError, EOFError, ArithmeticError),
    *(LookupError, TypeError, AttributeError, MemoryError, AssertionError, ImportError),
    *(struct.error, zlib.error),
)
"""What Pillow's readers let through for a damaged file: each fails where its parsing happens to stumble.

UnidentifiedImageError is an OSError, NotImplementedError a RuntimeError.
"""


def preview(source: Path | bytes) -> bytes | None:
    """Return a WebP of *source* with a longest edge of at most 768 pixels and at most 150 kB.

    None when *source* is not a picture that Pillow can read, or is too large to be decoded.
    """
    picture = _open(source)
    return None if picture is None else _within_limit(picture, PREVIEW_EDGES)


def contact_sheet(sources: Sequence[Path | bytes]) -> bytes | None:
    """Return one WebP of at most 150 kB that shows all *sources* in rows, each with its number from 1.

    What cannot be read is left out, and its number with it; None when nothing is left.
    """
    cell = max(SHEET_EDGE // math.ceil(math.sqrt(max(len(sources), 1))), 1)
    pictures = {
        number: picture
        for number, source in enumerate(sources, start=1)
        if (picture := small_picture(source, cell))
    }
    return _within_limit(_sheet(pictures), (SHEET_EDGE, *PREVIEW_EDGES)) if pictures else None


def small_picture(source: Path | bytes, edge: int) -> "Image | None":
    """Return *source* with a longest edge of at most *edge*, upright, as RGB or RGBA; None as for a preview.

    Small at once, while it is read: many large pictures must not lie in memory together.
    """
    from PIL import Image, ImageOps

    if not _may_decode(source):
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(_readable(source)) as picture:
            small = picture if _scales_as_it_is(picture) else _true_colour(picture)
            small.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=1.3)
            return ImageOps.exif_transpose(_true_colour(small))
    except (*UNREADABLE, Image.DecompressionBombError):
        return None


def mime_of(data: bytes) -> str | None:
    """Return the MIME type that the first bytes of a file tell, or None for a kind that is not made here."""
    for start, signature, mime in SIGNATURES:
        if data[start : start + len(signature)] == signature:
            return mime
    return None


def picture_size(source: Path | bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels from the header alone, or None when it is not a picture."""
    from PIL import Image

    try:
        # Pillow warns about large and damaged pictures; the answer here says enough.
        with warnings.catch_warnings(action="ignore"), Image.open(_readable(source)) as picture:
            return picture.size
    except (*UNREADABLE, Image.DecompressionBombError):
        return None


def _open(source: Path | bytes) -> "Image | None":
    from PIL import Image

    if not _may_decode(source):
        return None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(_readable(source)) as picture:
            picture.load()
            return picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except (*UNREADABLE, Image.DecompressionBombError):
        return None


def _may_decode(source: Path | bytes) -> bool:
    size = picture_size(source)
    return size is not None and size[0] * size[1] <= MAX_PIXELS


def _scales_as_it_is(picture: "Image") -> bool:
    """Say whether pixels can be mixed; in palettes and beside a transparent colour they cannot."""
    return picture.mode in ("L", "RGB", "RGBA", "CMYK", "YCbCr") and "transparency" not in picture.info


def _true_colour(picture: "Image") -> "Image":
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _readable(source: Path | bytes) -> Path | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _sheet(pictures: "Mapping[int, Image]") -> "Image":
    """Return *pictures* in equal cells with their numbers; columns make the sheet most nearly square."""
    from PIL import Image

    from comfygen_mcp.sheets.numbers import paint_number

    width, height = (max(picture.size[axis] for picture in pictures.values()) + SHEET_GAP for axis in (0, 1))
    count = len(pictures)
    columns = min(range(1, count + 1), key=lambda c: abs(math.log(c * width / (-(-count // c) * height))))
    size = columns * width + SHEET_GAP, -(-count // columns) * height + SHEET_GAP
    sheet = Image.new("RGB", size, SHEET_COLOUR)
    for place, (number, picture) in enumerate(pictures.items()):
        row, column = divmod(place, columns)
        left = column * width + SHEET_GAP + (width - SHEET_GAP - picture.width) // 2
        top = row * height + SHEET_GAP + (height - SHEET_GAP - picture.height) // 2
        sheet.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)
        paint_number(sheet, (left, top), number)
    return sheet


def _within_limit(picture: "Image", edges: Sequence[int]) -> bytes | None:
    """Return *picture* as a WebP of the largest of *edges* that fits the byte limit, None when none does."""
    for edge in edges:
        for quality in (82, 70, 55):
            data = _webp(picture, edge=edge, quality=quality)
            if len(data) <= PREVIEW_MAX_BYTES:
                return data
    return None


def _webp(picture: "Image", *, edge: int, quality: int) -> bytes:
    from PIL import Image

    small = picture.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
