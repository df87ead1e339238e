"""The bar that says what a picture is: a preview that no diffusion model has made."""

import re
from functools import lru_cache
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from comfygen_mcp.engine.values import Painting

NOTICE = "PREVIEW - no diffusion model"
SHORT_NOTICE = "PREVIEW"
SMALLEST_FONT = 9
SHARE = 20
"""The bar takes up this part of the picture's smaller side."""
TWO_LINES_FROM = 24
"""The least height of a bar that has room for the prompt on a line of its own."""
MOST_WORDS = 60
_UNDRAWABLE = re.compile(r"[^ -~\u00a0-\u017f]+(?: +[^ -~\u00a0-\u017f]+)*")
BACKGROUND, YELLOW, PALE = (14, 14, 17), (255, 214, 80), (205, 207, 212)
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_label(image: Image.Image, painting: Painting, number: int | None = None) -> None:
    """Draw the bar along the lower edge, with as much in it as fits; nothing where nothing does."""
    bar = label_bar(*image.size, painting, number)
    if bar is not None:
        image.paste(bar, (0, image.height - bar.height))


def label_bar(width: int, height: int, painting: Painting, number: int | None = None) -> Image.Image | None:
    """Return the bar for pictures of that size; None when they are too small for one.

    *number* is the place of the picture in its batch, because the seed is that of the whole batch.
    """
    bar = max(SMALLEST_FONT + 5, round(min(width, height) / SHARE))
    strip = Image.new("RGB", (width, min(bar, height)), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    font = _font(max(SMALLEST_FONT, round(bar * 0.48)))
    notice = _notice(draw, font, width)
    if notice is None or bar > height // 3:
        return None
    facts, words = _facts(painting, number), drawable(painting.guider.positive.text)
    gap = _gap(font)
    taken = sum(draw.textlength(text, font) for text in (notice, facts)) + 3 * gap
    if bar >= TWO_LINES_FROM and draw.textlength(words, font) > width - taken - gap:
        _draw_two_lines(draw, (notice, facts, words), strip.size)
        return strip
    draw.text((gap, bar / 2), notice, YELLOW, font, anchor="lm")
    if taken <= width:
        draw.text((width - gap, bar / 2), facts, PALE, font, anchor="rm")
        left = 2 * gap + draw.textlength(notice, font)
        draw.text((left, bar / 2), _fitting(draw, words, font, width - taken - gap), PALE, font, anchor="lm")
    return strip


def _notice(draw: ImageDraw.ImageDraw, font: Font, width: int) -> str | None:
    texts = (text for text in (NOTICE, SHORT_NOTICE) if draw.textlength(text, font) + 2 * _gap(font) <= width)
    return next(texts, None)


def _facts(painting: Painting, number: int | None) -> str:
    which = "" if number is None else f" #{number}"
    return f"seed {painting.seed}{which}   steps {painting.steps}   cfg {painting.guider.cfg:g}"


def _draw_two_lines(draw: ImageDraw.ImageDraw, texts: tuple[str, str, str], size: tuple[int, int]) -> None:
    """Draw notice and facts, and below them the prompt, which has the whole width so."""
    notice, facts, words = texts
    width, height = size
    font = _font(max(SMALLEST_FONT, round(height * 0.37)))
    gap = _gap(font)
    draw.text((gap, height * 0.28), notice, YELLOW, font, anchor="lm")
    if draw.textlength(notice, font) + draw.textlength(facts, font) + 3 * gap <= width:
        draw.text((width - gap, height * 0.28), facts, PALE, font, anchor="rm")
    shown = _fitting(draw, words, font, width - 2 * gap)
    draw.text((gap, height * 0.7), shown, PALE, font, anchor="lm")


def _gap(font: Font) -> int:
    return round(0.7 * getattr(font, "size", SMALLEST_FONT))


def _fitting(draw: ImageDraw.ImageDraw, text: str, font: Font, room: float) -> str:
    """Return the first words of *text* that have room, or nothing."""
    words = text.split()
    for count in range(min(len(words), MOST_WORDS), 0, -1):
        shown = " ".join(words[:count]) + ("" if count == len(words) else " ...")
        if draw.textlength(shown, font) <= room:
            return shown
    return ""


def drawable(text: str) -> str:
    """Put `...` where the built-in font has no glyphs, so that the prompt is not misquoted."""
    return _UNDRAWABLE.sub("...", " ".join(text[:400].split()))


@lru_cache(maxsize=8)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
