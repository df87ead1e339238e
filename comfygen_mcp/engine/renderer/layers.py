"""A part of a scene on its own, so that it can be moved or faded: its colours, and where it covers."""

from collections.abc import Callable

import numpy as np
from PIL import Image


def layer_of(paint: Callable[[Image.Image], None], size: tuple[int, int]) -> Image.Image:
    """Return as RGBA what *paint* adds to a picture, whatever is in it.

    Painted over black and over white: where both agree it covers, where they differ the ground shows through.
    """
    black, white = Image.new("RGB", size), Image.new("RGB", size, (255, 255, 255))
    paint(black)
    paint(white)
    dark, light = np.asarray(black, np.float32), np.asarray(white, np.float32)
    cover = 1 - (light - dark).mean(-1, keepdims=True) / 255
    colour = dark / np.maximum(cover, 1 / 255)
    pixels = np.concatenate([colour, cover * 255], -1)
    return Image.fromarray((pixels + 0.5).clip(0, 255).astype(np.uint8), "RGBA")


def shown(
    paint: Callable[[Image.Image], None], size: tuple[int, int], share: float
) -> tuple[Image.Image, tuple[int, int], Image.Image]:
    """Return the arguments of a `paste` that shows a *share* of what *paint* adds."""
    layer = layer_of(paint, size)
    return layer, (0, 0), layer.getchannel("A").point([round(level * share) for level in range(256)])
