"""Text on pictures: wrapped, each character in a font that has it, each line in its reading direction."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from comfygen_mcp.sheets.font_files import FontFace
from comfygen_mcp.sheets.fonts import Fonts
from comfygen_mcp.sheets.linebreaks import cleaned
from comfygen_mcp.sheets.paragraph import MARK_WIDTH, Line, Paragraph
from comfygen_mcp.sheets.pens import Colour, Pen, Style, can_shape
from comfygen_mcp.sheets.scripts import clusters, needs_joining

if TYPE_CHECKING:
    from PIL.Image import Image

MARK_COLOUR: Colour = (222, 170, 96)
"""Of the mark that stands where no font has the character."""
MARK = "\ufffc"
"""Drawn as that mark, and not missed by anybody."""


class Typesetter:
    """Sets text with *fonts*, and remembers what they could not do; *shaping* is found out when not given."""

    def __init__(self, fonts: Fonts, *, shaping: bool | None = None) -> None:
        self._fonts = fonts
        self._shaping = can_shape() if shaping is None else shaping
        self._pens: dict[tuple[FontFace, Style], Pen | None] = {}
        self.missing: dict[str, None] = {}
        """Characters that no font has, in the order they were met."""
        self.unjoined = False
        """Whether letters that join in writing had to be drawn one by one."""

    def wrap(self, text: str, style: Style, *, width: float, most: int) -> tuple[Line, ...]:
        """Return *text* in at most *most* lines of *width*, with an ellipsis when more follows."""
        lines = Paragraph(cleaned(text), style, self.pen_for).lines(width, most)
        self._remember(lines)
        return lines

    def wrap_evenly(self, text: str, style: Style, *, width: float, most: int) -> tuple[Line, ...]:
        """Return *text* as `wrap` does, but with lines as even as can be: for text that is centred."""
        paragraph = Paragraph(cleaned(text), style, self.pen_for)
        lines = paragraph.lines(width, most)
        if 1 < len(lines) == len(paragraph.lines(width, most + 1)):
            lines = paragraph.lines(_narrowest(paragraph, width, len(lines)), most)
        self._remember(lines)
        return lines

    def pen_for(self, cluster: str, style: Style, text: str) -> Pen | None:
        """Return the pen that draws *cluster*, None when no font has it; *text* tells its language."""
        if cluster == MARK:
            return None
        face = self._fonts.face_for(cluster, bold=style.bold, text=text)
        if face is None:
            return None
        key = (face, style)
        if key not in self._pens:
            pen = Pen(face, style, shaping=self._shaping)
            self._pens[key] = pen if pen.opens() else None
        return self._pens[key]

    def _remember(self, lines: Iterable[Line]) -> None:
        for run in (run for line in lines for run in line.runs):
            if run.pen is None:
                self.missing |= dict.fromkeys(each for each in clusters(run.text) if each != MARK)
            elif not self._shaping and needs_joining(run.text):
                self.unjoined = True


def _narrowest(paragraph: Paragraph, width: float, count: int) -> float:
    """Return about the smallest width at which *paragraph* still takes *count* lines."""
    low, high = width / 2, width
    for _ in range(6):
        middle = (low + high) / 2
        if len(paragraph.lines(middle, count + 1)) > count:
            low = middle
        else:
            high = middle
    return high


def paint(image: "Image", at: tuple[float, float], line: Line, style: Style, colour: Colour) -> None:
    """Draw *line* with the upper left corner of its line box at *at*."""
    x, baseline = at[0], round(at[1]) + style.baseline
    for run in line.runs:
        if run.pen:
            run.pen.draw(image, (x, baseline), run.text, colour, leftwards=run.leftwards)
        else:
            _paint_marks(image, (x, baseline), style, count=len(clusters(run.text)))
        x += run.width


def _paint_marks(image: "Image", at: tuple[float, int], style: Style, *, count: int) -> None:
    """Draw a small diamond for every character that is missing."""
    from PIL import Image, ImageDraw

    edge, fine = round(style.size * MARK_WIDTH), 4
    mark = Image.new("L", (edge * fine, edge * fine))
    middle, reach = edge * fine / 2, edge * fine * 0.4
    corners = [
        (middle, middle - reach),
        (middle + reach, middle),
        (middle, middle + reach),
        (middle - reach, middle),
    ]
    ImageDraw.Draw(mark).polygon(corners, outline=255, width=max(round(style.size * fine * 0.075), fine))
    mark = mark.resize((edge, edge), Image.Resampling.LANCZOS)
    top = at[1] - round(style.size * 0.36) - edge // 2
    for place in range(count):
        image.paste(MARK_COLOUR, (round(at[0] + place * style.size * MARK_WIDTH), top), mark)
