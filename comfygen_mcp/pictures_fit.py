"""Brings a picture to another size: cut, fitted inside, distorted, or with a border to be painted."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from comfygen_mcp.models import Crop
from comfygen_mcp.pictures import Picture, as_picture

if TYPE_CHECKING:
    from PIL.Image import Image

FEATHER = 40
"""Over how many pixels the painted border fades into the picture."""

_Size: TypeAlias = tuple[int, int]
_TELLING_CUT = 0.02
"""A part cut off below this is not worth a note: it comes from rounding."""


@dataclass(frozen=True)
class Fitted:
    """A picture in its new size; *mask* is white where a border is to be painted, None where none is."""

    picture: Picture
    mask: Picture | None = None
    notes: tuple[str, ...] = ()


def fitted(picture: Picture, width: int, height: int, crop: Crop) -> Fitted:
    """Return *picture* as *width* x *height*; with `contain` one edge of the result may be shorter.

    - cover: scaled to fill the new size, and cut at two sides;
    - contain: scaled to fit inside;
    - stretch: scaled without regard to its shape;
    - extend: put into the middle, made smaller only where it does not fit; the border shows its edge
      colours and is white in the mask, which fades into the picture.
    """
    target = (width, height)
    if picture.size == target:
        return Fitted(picture)
    match crop:
        case "cover":
            return Fitted(_covering(picture, target), notes=_cut_notes(picture.size, target))
        case "contain":
            return Fitted(_scaled(picture, contained(picture.size, target)))
        case "stretch":
            return Fitted(_scaled(picture, target))
        case "extend":
            return _extended(picture, target)


def contained(size: _Size, target: _Size) -> _Size:
    """Return the largest size of the shape of *size* inside *target*."""
    scale = min(target[0] / size[0], target[1] / size[1])
    return (
        min(max(round(size[0] * scale), 1), target[0]),
        min(max(round(size[1] * scale), 1), target[1]),
    )


def _covering(picture: Picture, target: _Size) -> Picture:
    from PIL import Image, ImageOps

    return as_picture(ImageOps.fit(picture.pixels, target, Image.Resampling.LANCZOS), picture.notes)


def _cut_notes(size: _Size, target: _Size) -> tuple[str, ...]:
    across, down = target[0] / size[0], target[1] / size[1]
    lost = 1 - min(across, down) / max(across, down)
    if lost < _TELLING_CUT:
        return ()
    where = "left and right" if across < down else "top and bottom"
    return (f"To fill {_text(target)}, {lost:.0%} of the {_text(size)} picture was cut off, {where}.",)


def _scaled(picture: Picture, size: _Size) -> Picture:
    from PIL import Image

    if picture.size == size:
        return picture
    return as_picture(picture.pixels.resize(size, Image.Resampling.LANCZOS), picture.notes)


def _extended(picture: Picture, target: _Size) -> Fitted:
    fits = picture.width <= target[0] and picture.height <= target[1]
    inner = picture if fits else _scaled(picture, contained(picture.size, target))
    if inner.size == target:
        return Fitted(inner)
    left, top = (target[0] - inner.width) // 2, (target[1] - inner.height) // 2
    canvas = _bordered(inner.pixels, target, (left, top))
    mask = _border_mask(inner.size, target, (left, top))
    return Fitted(as_picture(canvas, picture.notes), as_picture(mask))


def _bordered(image: "Image", target: _Size, at: _Size) -> "Image":
    """Return *image* with its edges drawn out and blurred, so that the border has the right colours."""
    import numpy as np
    from PIL import Image, ImageFilter

    (left, top), (width, height) = at, image.size
    right, bottom = target[0] - width - left, target[1] - height - top
    drawn_out = np.pad(np.asarray(image), ((top, bottom), (left, right), (0, 0)), mode="edge")
    radius = math.ceil(max(left, top, right, bottom) / 8)
    canvas = Image.fromarray(drawn_out).filter(ImageFilter.GaussianBlur(radius))
    canvas.paste(image, at)
    return canvas


def _border_mask(size: _Size, target: _Size, at: _Size) -> "Image":
    import numpy as np
    from PIL import Image

    across = _fade(size[0], at[0], target[0])
    down = _fade(size[1], at[1], target[1])
    white = np.maximum(across[np.newaxis, :], down[:, np.newaxis])
    return Image.fromarray(np.rint(white * 255).astype(np.uint8))


def _fade(inner: int, before: int, whole: int) -> Any:
    """Return along one edge how much is repainted: 1 in the border, then falling to 0 in the picture."""
    import numpy as np

    after, reach = whole - inner - before, max(min(FEATHER, inner // 4), 1)
    place = np.arange(whole) - before
    from_start = np.clip(1 - place / reach, 0, 1) if before else np.zeros(whole)
    from_end = np.clip(1 - (inner - 1 - place) / reach, 0, 1) if after else np.zeros(whole)
    return np.maximum(from_start, from_end)


def _text(size: _Size) -> str:
    return f"{size[0]}x{size[1]}"
