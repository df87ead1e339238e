"""Fonts opened at a size: they measure and draw text of one direction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

from comfygen_mcp.sheets.font_files import FontFace
from comfygen_mcp.sheets.scripts import clusters, needs_shaping

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import Axis, FreeTypeFont

Colour = tuple[int, int, int]
WEIGHTS = {False: 400, True: 600}
MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
FEATURES = ["-calt"]
"""Inter turns an x between digits into a multiplication sign: a label shows what was written."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set: *size* in pixels, and whether it stands out."""

    size: int
    bold: bool = False

    @property
    def leading(self) -> int:
        """Height of one line."""
        return round(self.size * 1.36)

    @property
    def baseline(self) -> int:
        """Where letters stand, from the top of their line."""
        return round(self.size * 1.02)


@cache
def can_shape() -> bool:
    """Say whether HarfBuzz shapes the text: it needs FriBiDi, which some systems lack."""
    from PIL import features

    return bool(features.check("raqm"))


class Pen:
    """A face at a size; *shaping* says whether letters take the forms that their neighbours ask for."""

    def __init__(self, face: FontFace, style: Style, *, shaping: bool) -> None:
        self._face = face
        self._style = style
        self.shaping = shaping
        self._lengths: dict[tuple[str, bool], float] = {}

    @property
    def has_space(self) -> bool:
        """Whether a space in this font is as wide as one between words: that of emoji fonts is an emoji's."""
        return not self._face.colour and self._face.has(" ")

    def opens(self) -> bool:
        """Say whether the font library can use the file."""
        try:
            return self._font.size > 0
        except (OSError, ValueError):
            return False

    def length(self, text: str, *, leftwards: bool) -> float:
        """Return how wide *text* is drawn."""
        key = (text, leftwards)
        if key not in self._lengths:
            shown, direction, features = self._asked(text, leftwards=leftwards)
            length = self._font.getlength(shown, direction=direction, features=features)
            self._lengths[key] = length * self._scale
        return self._lengths[key]

    def draw(
        self, image: "Image", at: tuple[float, int], text: str, colour: Colour, *, leftwards: bool
    ) -> None:
        """Draw *text* with its left end on the baseline at *at*."""
        if self._face.strike is None:
            self._write(image, at, text, colour, leftwards=leftwards)
        else:
            self._paste(image, at, text, colour, leftwards=leftwards)

    def _write(
        self, image: "Image", at: tuple[float, int], text: str, colour: Colour, *, leftwards: bool
    ) -> None:
        from PIL import ImageDraw

        shown, direction, features = self._asked(text, leftwards=leftwards)
        ImageDraw.Draw(image).text(
            at,
            shown,
            fill=(*colour, 255),
            font=self._font,
            anchor="ls",
            direction=direction,
            features=features,
            embedded_color=self._face.colour,
        )

    def _paste(
        self, image: "Image", at: tuple[float, int], text: str, colour: Colour, *, leftwards: bool
    ) -> None:
        """Draw the font's pictures at the one size that it has, and lay them down at the wanted size."""
        from PIL import Image

        above, below = self._font.getmetrics()
        width = math.ceil(self.length(text, leftwards=leftwards) / self._scale)
        layer = Image.new("RGBA", (max(width, 1), max(above + below, 1)))
        self._write(layer, (0, above), text, colour, leftwards=leftwards)
        size = max(round(layer.width * self._scale), 1), max(round(layer.height * self._scale), 1)
        small = layer.resize(size, Image.Resampling.LANCZOS)
        image.paste(small, (round(at[0]), at[1] - round(above * self._scale)), small)

    @cached_property
    def _font(self) -> "FreeTypeFont":
        from PIL import ImageFont

        engine = ImageFont.Layout.RAQM if self.shaping else ImageFont.Layout.BASIC
        size = self._face.strike or self._style.size
        font = ImageFont.truetype(str(self._face.path), size, index=self._face.index, layout_engine=engine)
        if self._face.variable:
            font.set_variation_by_axes(axis_values(font.get_variation_axes(), WEIGHTS[self._style.bold]))
        return font

    @property
    def _scale(self) -> float:
        return self._style.size / (self._face.strike or self._style.size)

    def _asked(
        self, text: str, *, leftwards: bool
    ) -> tuple[str, Literal["rtl", "ltr"] | None, list[str] | None]:
        """Return the text, its direction and the features, as the font library wants them."""
        if self.shaping:
            return text, "rtl" if leftwards else "ltr", FEATURES
        shown = "".join(character for character in text if not needs_shaping(character))
        if leftwards:
            shown = "".join(reversed(clusters(shown))).translate(MIRRORED)
        return shown, None, None


def axis_values(axes: "Sequence[Axis]", weight: int) -> list[float]:
    """Return every axis of a variable font at its default, except the weight: some start at the thinnest."""
    values: list[float] = []
    for axis in axes:
        lowest, usual, highest = (axis[key] or 0 for key in ("minimum", "default", "maximum"))
        values.append(min(max(weight, lowest), highest) if axis.get("name") == b"Weight" else usual)
    return values
