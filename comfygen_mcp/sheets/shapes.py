"""Smooth shapes: round corners of cards, signs in cells without a picture, ground under transparency."""

from functools import lru_cache
from typing import TYPE_CHECKING

from comfygen_mcp.sheets.base import CellState
from comfygen_mcp.sheets.layout import Box
from comfygen_mcp.sheets.pens import Colour
from comfygen_mcp.sheets.theme import CHECK, CHECKS, RADIUS

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

FINE = 4
"""Shapes are drawn so many times larger and made small: that smooths their edges."""
SIGN = 44
"""Edge of the sign in a cell without a picture."""


def round_corners(image: "Image", card: Box, page: Colour) -> None:
    """Lay *page* over the corners of *card*."""
    from PIL import ImageOps

    upper_left = _corner()
    upper_right, lower_left = ImageOps.mirror(upper_left), ImageOps.flip(upper_left)
    right, low = card.right - RADIUS, card.bottom - RADIUS
    image.paste(page, (card.x, card.y), upper_left)
    image.paste(page, (right, card.y), upper_right)
    image.paste(page, (card.x, low), lower_left)
    image.paste(page, (right, low), ImageOps.flip(upper_right))


def paint_sign(image: "Image", middle: tuple[int, int], state: CellState, colour: Colour) -> None:
    """Draw the sign of *state* around *middle*: a cross, three dots, or a dash, in a ring."""
    sign = _sign(state)
    image.paste(colour, (middle[0] - SIGN // 2, middle[1] - SIGN // 2), sign)


def checked(size: tuple[int, int]) -> "Image":
    """Return a ground of two quiet greys, on which transparency is seen as such."""
    from PIL import Image

    tile = Image.new("RGB", (2, 2), CHECKS[0])
    tile.putpixel((0, 1), CHECKS[1])
    tile.putpixel((1, 0), CHECKS[1])
    tile = tile.resize((2 * CHECK, 2 * CHECK), Image.Resampling.NEAREST)
    ground = Image.new("RGB", size)
    for x in range(0, size[0], 2 * CHECK):
        for y in range(0, size[1], 2 * CHECK):
            ground.paste(tile, (x, y))
    return ground


@lru_cache(maxsize=1)
def _corner() -> "Image":
    """Return what lies outside a round upper left corner."""
    from PIL import Image, ImageDraw

    edge = RADIUS * FINE
    mask = Image.new("L", (edge, edge), 255)
    ImageDraw.Draw(mask).ellipse((0, 0, 2 * edge, 2 * edge), fill=0)
    return mask.resize((RADIUS, RADIUS), Image.Resampling.LANCZOS)


@lru_cache(maxsize=4)
def _sign(state: CellState) -> "Image":
    from PIL import Image, ImageDraw

    edge, stroke = SIGN * FINE, 3 * FINE
    mask = Image.new("L", (edge, edge))
    draw = ImageDraw.Draw(mask)
    draw.ellipse((stroke, stroke, edge - stroke, edge - stroke), outline=255, width=stroke)
    match state:
        case "failed":
            _cross(draw, edge, stroke)
        case "pending":
            _dots(draw, edge, stroke)
        case _:
            draw.line((edge * 0.34, edge / 2, edge * 0.66, edge / 2), fill=255, width=stroke)
    return mask.resize((SIGN, SIGN), Image.Resampling.LANCZOS)


def _cross(draw: "ImageDraw", edge: int, stroke: int) -> None:
    near, far = edge * 0.37, edge * 0.63
    draw.line((near, near, far, far), fill=255, width=stroke)
    draw.line((near, far, far, near), fill=255, width=stroke)


def _dots(draw: "ImageDraw", edge: int, stroke: int) -> None:
    for part in (0.34, 0.5, 0.66):
        x, y, reach = edge * part, edge / 2, stroke * 0.7
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
