"""Small landscapes for sheets: the same bytes every time, on every machine, from any size and seed."""

import io

import numpy as np
from PIL import Image

SKIES = (
    ((250, 176, 120), (92, 74, 140)),
    ((236, 214, 180), (70, 130, 180)),
    ((255, 196, 196), (60, 90, 120)),
    ((190, 226, 214), (24, 78, 96)),
    ((252, 226, 150), (196, 92, 84)),
    ((160, 170, 210), (20, 24, 56)),
)
"""Colours at the horizon and at the top."""


def landscape(width=320, height=320, seed=0, *, kind="PNG"):
    """Return a picture of hills under a sky, encoded."""
    buffer = io.BytesIO()
    Image.fromarray(_pixels(width, height, seed)).save(buffer, kind)
    return buffer.getvalue()


def cut_out(width=320, height=320, seed=0):
    """Return a round piece of a landscape with nothing around it."""
    y, x = np.mgrid[0:height, 0:width]
    away = np.hypot(x - width / 2, y - height / 2)
    alpha = np.clip((min(width, height) * 0.42 - away) + 0.5, 0, 1) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([_pixels(width, height, seed), alpha.astype(np.uint8)])).save(buffer, "PNG")
    return buffer.getvalue()


def noise(width, height, seed=0):
    """Return what no encoder can make small."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _pixels(width, height, seed):
    near, far = (np.array(colour, dtype=float) for colour in SKIES[seed % len(SKIES)])
    y, x = np.mgrid[0:height, 0:width]
    y, x = y / height, x / width
    pixels = far + (near - far) * np.clip(y / 0.65, 0, 1)[..., None]
    sun = np.hypot((x - 0.25 - 0.11 * (seed % 5)) * width / height, y - 0.3)
    pixels += (np.array((255, 240, 210)) - pixels) * np.clip((0.09 - sun) * 90, 0, 1)[..., None]
    for layer in range(4):
        ridge = 0.52 + 0.12 * layer + 0.05 * np.sin(x * (5 + 2 * layer) + seed * 1.7 + layer * 2.1)
        ridge += 0.02 * np.sin(x * (17 + 5 * layer) + seed + layer)
        shade = far * (0.75 - 0.16 * layer) + near * 0.06
        pixels += (shade - pixels) * np.clip((y - ridge) * height, 0, 1)[..., None]
    return np.clip(pixels, 0, 255).astype(np.uint8)
