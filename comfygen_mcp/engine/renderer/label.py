"""The bar that says what a picture is: a preview that no diffusion model has made."""

import re
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from comfygen_mcp.engine.values import Painting

NOTICE = "PREVIEW - no diffusion model"
SHORT_NOTICE = "PREVIEW"
SMALLEST_FONT = 9
_UNDRAWABLE = re.compile(r"[^ -~\u00a0-\u017f]+(?: +[^ -~\u00a0-\u017f]+)*")
BACKGROUND, YELLOW, PALE = (14, 14, 17), (255, 214, 80), (205, 207, 212)


def draw_label(image: Image.Image, painting: Painting) -> None:
    """Draw the bar along the lower edge, with as much in it as fits; nothing where nothing does."""
    bar = label_bar(*image.size, painting)
    if bar is not None:
        image.paste(bar, (0, image.height - bar.height))


def label_bar(width: int, height: int, painting: Painting) -> Image.Image | None:
    """Return the bar for pictures of that size; None when they are too small for one."""
    bar = max(SMALLEST_FONT + 5, round(min(width, height) / 24))
    size = max(SMALLEST_FONT, round(bar * 0.56))
    font, gap = _font(size), round(size * 0.7)
    strip = Image.new("RGB", (width, min(bar, height)), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    texts = (text for text in (NOTICE, SHORT_NOTICE) if draw.textlength(text, font) + 2 * gap <= width)
    notice = next(texts, None)
    if notice is None or bar > height // 3:
        return None
    middle = bar / 2
    draw.text((gap, middle), notice, YELLOW, font, anchor="lm")
    left = 2 * gap + draw.textlength(notice, font)
    right = width - gap
    facts = f"seed {painting.seed}   steps {painting.steps}   cfg {painting.guider.cfg:g}"
    if left + draw.textlength(facts, font) <= right:
        draw.text((right, middle), facts, PALE, font, anchor="rm")
        right -= draw.textlength(facts, font) + 2 * gap
        words = _fitting(draw, drawable(painting.guider.positive.text), font, right - left)
        draw.text((left, middle), words, PALE, font, anchor="lm")
    return strip


def _fitting(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float
) -> str:
    """Return the first words of *text* that have room, or nothing."""
    words = text.split()
    for count in range(min(len(words), 24), 0, -1):
        shown = " ".join(words[:count]) + ("" if count == len(words) else " ...")
        if draw.textlength(shown, font) <= room:
            return shown
    return ""


def drawable(text: str) -> str:
    """Put `...` where the built-in font has no glyphs, so that the prompt is not misquoted."""
    return _UNDRAWABLE.sub("...", " ".join(text[:400].split()))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
