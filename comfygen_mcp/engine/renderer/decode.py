"""Turns a latent's description into pixels: each pass painted over the last, noise where some is left."""

import io
import math
from functools import lru_cache

import numpy as np
from PIL import Image

from comfygen_mcp.engine.renderer.chance import generator
from comfygen_mcp.engine.renderer.label import draw_label
from comfygen_mcp.engine.renderer.plan import Plan, plan_of
from comfygen_mcp.engine.renderer.scene import paint_scene
from comfygen_mcp.engine.values import Latent, Painting, Pictures

MAX_PAINTED_PIXELS = 1_400_000
PREVIEW_SIDE = 256
PREVIEW_QUALITY = 80
CELL = 8
FAINTEST_NOISE = 0.012
EMPTY = (117, 107, 98)
"""What a real VAE makes of zeros is about this."""


def decode_latent(latent: Latent) -> Pictures:
    """Return the pictures of a latent, labelled when a sampler has painted them."""
    pictures = [_labelled(latent, index) for index in range(latent.count)]
    return np.stack([np.asarray(picture) for picture in pictures])


def preview_jpeg(latent: Latent) -> bytes:
    """Return the first picture small, as the JPEG that is sent while a sampler works."""
    scale = min(1.0, PREVIEW_SIDE / max(latent.width, latent.height))
    picture = _picture(latent, 0, max(1, round(latent.width * scale)), max(1, round(latent.height * scale)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=PREVIEW_QUALITY)
    return buffer.getvalue()


def _labelled(latent: Latent, index: int) -> Image.Image:
    width, height = latent.width, latent.height
    shrink = min(1.0, math.sqrt(MAX_PAINTED_PIXELS / (width * height)))
    painted = _picture(latent, index, max(1, round(width * shrink)), max(1, round(height * shrink)))
    if painted.size != (width, height):
        painted = painted.resize((width, height), Image.Resampling.BICUBIC)
    if latent.paintings:
        draw_label(painted, latent.paintings[-1])
    return painted


def _picture(latent: Latent, index: int, width: int, height: int) -> Image.Image:
    canvas = _base(latent, index, width, height)
    for painting in latent.paintings:
        canvas = _painted(canvas, painting, index)
    return canvas


def _base(latent: Latent, index: int, width: int, height: int) -> Image.Image:
    if latent.base is None:
        return Image.new("RGB", (width, height), EMPTY)
    base = Image.fromarray(latent.base[index % len(latent.base)])
    return base if base.size == (width, height) else base.resize((width, height), Image.Resampling.BICUBIC)


def _painted(canvas: Image.Image, painting: Painting, index: int) -> Image.Image:
    plan = plan_of(painting, index)
    scene = _toned(_scene(plan, *canvas.size), plan.contrast)
    if painting.strength < 1:
        scene = _over(canvas, scene, plan, painting.strength)
    return _noisy(scene, painting, index) if painting.leftover >= FAINTEST_NOISE else scene


def _scene(plan: Plan, width: int, height: int) -> Image.Image:
    small = max(width, height) <= PREVIEW_SIDE
    return _remembered_scene(plan, width, height) if small else paint_scene(plan, width, height)


@lru_cache(maxsize=4)
def _remembered_scene(plan: Plan, width: int, height: int) -> Image.Image:
    """Remember the small scenes, because the previews of all steps show the same one."""
    return paint_scene(plan, width, height)


def _toned(image: Image.Image, contrast: float) -> Image.Image:
    levels = [round(min(255, max(0, 124 + (level - 124) * contrast))) for level in range(256)]
    return image.point(levels * 3)


def _over(canvas: Image.Image, scene: Image.Image, plan: Plan, strength: float) -> Image.Image:
    """Paint over a picture as image-to-image does: first its colours change, then its shapes."""
    grey = np.asarray(canvas.convert("L"), np.float32) / 255
    stops = np.array([plan.palette.land, plan.palette.middle, plan.palette.horizon, plan.palette.sun])
    graded = np.stack([np.interp(grey, [0, 0.45, 0.78, 1], stops[:, c]) for c in range(3)], -1)
    pixels = np.asarray(canvas, np.float32)
    recoloured = pixels + strength * 0.75 * (255 * graded.astype(np.float32) - pixels)
    share = 0.7 * strength**2
    mixed = (1 - share) * recoloured + share * np.asarray(scene, np.float32)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def _noisy(image: Image.Image, painting: Painting, index: int) -> Image.Image:
    """Lay the noise that was not removed over the picture, in the grain of latent cells."""
    width, height = image.size
    rng = generator("noise", painting.seed, index, painting.sampler)
    cells = rng.standard_normal((max(2, height // CELL), max(2, width // CELL), 3)) * 62 + 118
    grain = Image.fromarray(cells.clip(0, 255).astype(np.uint8))
    share = min(1.0, painting.leftover)
    return Image.blend(image, grain.resize((width, height), Image.Resampling.BICUBIC), share)
