"""Pictures of callers, brought into one plain form: upright, 8 bits a channel, without metadata."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.images import MAX_PIXELS, UNREADABLE
from comfygen_mcp.pictures_kinds import FileKind, kind_of
from comfygen_mcp.pictures_profile import in_srgb

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 32_000_000
"""Largest file that is read unless the caller sets another bound."""

_COMPRESSION = 3
"""Twice as fast as zlib's usual 6, for a tenth more bytes."""
_FULL_SCALES = {"I;16": (65535.0,), "I": (255.0, 65535.0), "F": (1.0, 255.0, 65535.0)}
"""Beginning of a mode with more than 8 bits → what white can be in it."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, RGB or RGBA, that become a PNG when that is asked for; *notes* say what was changed.

    The bytes follow from the pixels alone, which nobody changes: work on them gives new ones.
    """

    pixels: "Image"
    notes: tuple[str, ...] = ()
    mime: ClassVar[str] = "image/png"

    @property
    def width(self) -> int:
        return self.pixels.width

    @property
    def height(self) -> int:
        return self.pixels.height

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.size

    @property
    def transparent(self) -> bool:
        """Whether any of it can be seen through."""
        return self.pixels.mode == "RGBA"

    @cached_property
    def data(self) -> bytes:
        """The PNG; a large one takes a second to make."""
        buffer = io.BytesIO()
        self.pixels.save(buffer, "PNG", compress_level=_COMPRESSION)
        return buffer.getvalue()

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def read_picture(data: bytes, *, name: str, max_bytes: int = MAX_BYTES) -> Picture:
    """Return the picture in *data*; *name* is what messages call it.

    Raises BadRequest for what is no picture, saying what it is, and for a damaged or too large one.
    """
    if len(data) > max_bytes:
        raise BadRequest(too_many_bytes(name, max_bytes))
    kind = kind_of(data)
    if kind.reader is None:
        raise BadRequest(f"{name!r} is {kind.words}, not a picture that can be used. {kind.advice}")
    image, notes = _decoded(data, kind, kind.reader, name)
    return as_picture(image, notes)


def too_many_bytes(name: str, max_bytes: int) -> str:
    """Return what is said of a file that is larger than *max_bytes*."""
    return (
        f"{name!r} is larger than {max_bytes / 1e6:g} MB, the most that is read of an input picture. "
        "Make it smaller or save it as a JPEG; max_input_mb in comfygen.yaml sets the limit."
    )


def as_picture(image: "Image", notes: tuple[str, ...] = ()) -> Picture:
    """Return *image* without metadata; transparency that hides nothing is left out."""
    opaque = image.mode != "RGBA" or image.getchannel("A").getextrema() == (255, 255)
    plain = image.convert("RGB" if opaque else "RGBA")
    plain.info = {}
    return Picture(plain, notes)


def without_transparency(picture: Picture) -> Picture:
    """Return *picture* on white: models see no transparency, only the colours hidden below it."""
    from PIL import Image

    if not picture.transparent:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    note = "Its transparent parts became white: models see no transparency."
    return as_picture(Image.alpha_composite(white, picture.pixels), (*picture.notes, note))


def _decoded(data: bytes, kind: FileKind, reader: str, name: str) -> "tuple[Image, tuple[str, ...]]":
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[reader]) as opened,
        ):
            _check_pixels(opened.size, name)
            image, notes = in_srgb(_upright(opened))
            return _eight_bits(image), (*notes, *_frame_notes(opened, kind, name))
    except Image.DecompressionBombError:
        raise BadRequest(_too_many_pixels(name)) from None
    except UNREADABLE as error:
        raise BadRequest(
            f"{name!r} begins like {kind.words} but cannot be read: it is damaged, cut off or of a rare "
            "form. Open it in a picture program and save it as a PNG."
        ) from error


def _check_pixels(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise BadRequest(f"{_too_many_pixels(name)} It has {size[0]}x{size[1]}.")


def _too_many_pixels(name: str) -> str:
    return f"{name!r} has more than {MAX_PIXELS // 10**6} megapixels. Make it smaller first."


def _upright(image: "Image") -> "Image":
    """Return *image* turned as its EXIF says; damaged EXIF says nothing."""
    from PIL import ImageOps

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except UNREADABLE:
        return image.copy()


def _eight_bits(image: "Image") -> "Image":
    from PIL import Image

    if image.mode.startswith(tuple(_FULL_SCALES)):
        import numpy as np

        scales = next(scales for mode, scales in _FULL_SCALES.items() if image.mode.startswith(mode))
        return Image.fromarray(_narrowed(np.asarray(image, dtype=np.float32), scales)).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _narrowed(values: Any, scales: tuple[float, ...]) -> Any:
    """Return *values* as 0 to 255; white is the first of *scales* that none exceeds, else the largest."""
    import numpy as np

    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(finite.max())
    white = next((scale for scale in scales if largest <= scale), largest)
    return np.clip(np.rint(finite * (255 / white)), 0, 255).astype(np.uint8)


def _frame_notes(image: "Image", kind: FileKind, name: str) -> tuple[str, ...]:
    """Say that there are further frames; a JPEG's are only smaller copies of itself."""
    if kind.reader == "JPEG":
        return ()
    try:
        image.seek(1)
    except UNREADABLE:
        return ()
    what = "has several pages" if kind.reader == "TIFF" else "is animated"
    return (f"{name!r} {what}: the first {'page' if kind.reader == 'TIFF' else 'frame'} was used.",)
