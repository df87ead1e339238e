"""Small numbers in the corners of pictures, so that one can be spoken of."""

from typing import TYPE_CHECKING

from comfygen_mcp.sheets.fonts import Fonts
from comfygen_mcp.sheets.pens import Style
from comfygen_mcp.sheets.theme import TEXT
from comfygen_mcp.sheets.typeset import Typesetter, paint

if TYPE_CHECKING:
    from PIL.Image import Image

INSET = 6
PADDING = 7
STYLE = Style(17, bold=True)
SHADE = (12, 12, 14, 190)


def paint_number(image: "Image", corner: tuple[int, int], number: int) -> None:
    """Draw *number* on a dark chip near the upper left *corner* of a picture."""
    from PIL import Image, ImageDraw

    (line,) = Typesetter(Fonts(system=False)).wrap(str(number), STYLE, width=1000, most=1)
    height = STYLE.leading + 2
    width = max(round(line.width) + 2 * PADDING, height)
    fine = Image.new("RGBA", (width * 4, height * 4), (*SHADE[:3], 0))
    ImageDraw.Draw(fine).rounded_rectangle((0, 0, width * 4 - 1, height * 4 - 1), radius=28, fill=SHADE)
    chip = fine.resize((width, height), Image.Resampling.LANCZOS)
    place = corner[0] + INSET, corner[1] + INSET
    image.paste(chip, place, chip)
    paint(image, (place[0] + (width - line.width) / 2, place[1] + 1), line, STYLE, TEXT)
