"""Masks: any picture that tells where to repaint becomes one that is white there, of the picture's size."""

from typing import TYPE_CHECKING, cast

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.pictures import Picture, as_picture

if TYPE_CHECKING:
    from PIL.Image import Image

SHAPE_TOLERANCE = 0.02
"""How far the proportions of mask and picture may differ for the mask to be scaled."""

_BLACK, _WHITE = 15, 240
"""What counts as black and white throughout: JPEG makes neither of them pure."""


def mask_for(mask: Picture, picture: Picture) -> tuple[Picture, tuple[str, ...]]:
    """Return *mask* in the size of *picture*, white where to repaint, and notes on what was made of it.

    A mask with transparency tells by that alone: what was erased is repainted. Raises BadRequest when
    its shape is another one, or nothing is left to repaint.
    """
    drawn, notes = _drawn(mask.pixels)
    drawn, scaled = _of_size(drawn, picture.size)
    darkest, brightest = _extremes(drawn)
    if brightest <= _BLACK:
        raise BadRequest(
            "The mask is black all over, so there is nothing to repaint. Paint white where the picture "
            "is to change, or leave the mask out."
        )
    everything = ("The mask is white all over: the whole picture is repainted.",)
    return as_picture(drawn), (*mask.notes, *notes, *scaled, *(everything if darkest >= _WHITE else ()))


def united(mask: Picture, other: Picture) -> Picture:
    """Return what either of two masks of the same size repaints."""
    from PIL import ImageChops

    return as_picture(ImageChops.lighter(mask.pixels, other.pixels))


def _drawn(image: "Image") -> "tuple[Image, tuple[str, ...]]":
    from PIL import ImageChops

    if image.mode == "RGBA":
        note = "The mask's transparent parts are repainted; its colours do not count."
        return ImageChops.invert(image.getchannel("A")), (note,)
    grey = image.convert("L")
    colour = ImageChops.difference(image, grey.convert("RGB")).convert("L")
    if _extremes(colour)[1] <= _BLACK:
        return grey, ()
    return grey, ("The mask has colours: their brightness counts, white repaints and black keeps.",)


def _extremes(grey: "Image") -> tuple[int, int]:
    """Return the darkest and the brightest value in a picture of one channel."""
    return cast("tuple[int, int]", grey.getextrema())


def _of_size(mask: "Image", size: tuple[int, int]) -> "tuple[Image, tuple[str, ...]]":
    from PIL import Image

    if mask.size == size:
        return mask, ()
    shapes = mask.size[0] / mask.size[1], size[0] / size[1]
    given, wanted = f"{mask.size[0]}x{mask.size[1]}", f"{size[0]}x{size[1]}"
    if abs(shapes[0] / shapes[1] - 1) > SHAPE_TOLERANCE:
        raise BadRequest(
            f"The mask is {given} and the picture {wanted}: another shape. Give a mask of {wanted}, "
            "white where to repaint and black elsewhere."
        )
    note = f"The mask was scaled from {given} to the picture's {wanted}."
    return mask.resize(size, Image.Resampling.BILINEAR), (note,)
