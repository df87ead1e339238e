"""Turns a latent's description into pixels: each pass painted over the last, noise where some is left."""

import io
import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps

from comfygen_mcp.engine.renderer.chance import generator
from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.edit import paint_edit
from comfygen_mcp.engine.renderer.inpaint import combined, fitted_mask, paint_inside
from comfygen_mcp.engine.renderer.label import draw_label
from comfygen_mcp.engine.renderer.old_label import over_old_bar
from comfygen_mcp.engine.renderer.over import paint_over
from comfygen_mcp.engine.renderer.plan import Plan, plan_of
from comfygen_mcp.engine.renderer.scene import paint_scene
from comfygen_mcp.engine.values import Latent, Painting, Pictures

MAX_PAINTED_PIXELS = 1_400_000
MAX_KEPT_PIXELS = 4_200_000
"""More where a picture is to be kept: its details are worth the time."""
PREVIEW_SIDE = 256
PREVIEW_QUALITY = 80
CELL = 8
FAINTEST_NOISE = 0.012
EMPTY = (117, 107, 98)
"""What a real VAE makes of zeros is about this."""


def decode_latent(latent: Latent) -> Pictures:
    """Return the pictures of a latent, labelled when a sampler has painted them."""
    pictures = [_whole(latent, index) for index in range(latent.count)]
    if latent.author:
        for index, picture in enumerate(pictures):
            draw_label(picture, latent.author, number=index + 1 if latent.count > 1 else None)
    return np.stack([np.asarray(picture) for picture in pictures])


def paint_latent(latent: Latent) -> Pictures:
    """Return the pictures of a latent for further work, without a label."""
    return np.stack([np.asarray(_whole(latent, index)) for index in range(latent.count)])


def preview_jpeg(latent: Latent) -> bytes:
    """Return the first picture small, as the JPEG that is sent while a sampler works."""
    scale = min(1.0, PREVIEW_SIDE / max(latent.width, latent.height))
    picture = _picture(latent, 0, max(1, round(latent.width * scale)), max(1, round(latent.height * scale)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=PREVIEW_QUALITY)
    return buffer.getvalue()


def _whole(latent: Latent, index: int) -> Image.Image:
    width, height = latent.width, latent.height
    most = MAX_PAINTED_PIXELS if latent.base is None else MAX_KEPT_PIXELS
    shrink = min(1.0, math.sqrt(most / (width * height)))
    painted = _picture(latent, index, max(1, round(width * shrink)), max(1, round(height * shrink)))
    if painted.size != (width, height):
        painted = painted.resize((width, height), Image.Resampling.BICUBIC)
    return painted


def _picture(latent: Latent, index: int, width: int, height: int) -> Image.Image:
    if latent.start is not None:
        return _begun(latent.start, latent.author, index, (width, height))
    canvas = _base(latent, index, width, height)
    for painting in latent.paintings:
        canvas = _painted(canvas, painting, index)
    return canvas


def _begun(start: Pictures, painting: Painting | None, index: int, size: tuple[int, int]) -> Image.Image:
    """Return the picture that a video begins with, under the noise that is left."""
    image = _fitted(start[index % len(start)], size)
    return noisy(image, painting, index) if painting and painting.leftover >= FAINTEST_NOISE else image


def _base(latent: Latent, index: int, width: int, height: int) -> Image.Image:
    if latent.base is None:
        return Image.new("RGB", (width, height), EMPTY)
    base = Image.fromarray(latent.base[index % len(latent.base)])
    return base if base.size == (width, height) else base.resize((width, height), Image.Resampling.BICUBIC)


def _painted(canvas: Image.Image, painting: Painting, index: int) -> Image.Image:
    mask = None if painting.mask is None else fitted_mask(painting.mask, index, canvas.size)
    scene = _work(canvas, painting, index, mask)
    if painting.leftover >= FAINTEST_NOISE:
        scene = noisy(scene, painting, index)
    return scene if mask is None else combined(canvas, scene, over_old_bar(mask, np.asarray(canvas)))


def _work(canvas: Image.Image, painting: Painting, index: int, mask: Plane | None) -> Image.Image:
    """Return the canvas as one pass leaves it, by what it was given: pictures to edit, a mask, a denoise."""
    plan = plan_of(painting, index)
    if references := painting.guider.positive.references:
        fitted = [_fitted(reference[index % len(reference)], canvas.size) for reference in references[:1]]
        others = [Image.fromarray(reference[0]) for reference in references[1:]]
        edited = paint_edit([*fitted, *others], plan)
        return edited if painting.strength >= 1 else Image.blend(canvas, edited, painting.strength)
    if mask is not None:
        inside = paint_inside(canvas, mask, plan)
        return Image.blend(canvas, inside, min(1.0, 1.15 * painting.strength))
    if painting.strength < 1:
        return paint_over(canvas, plan, painting.strength)
    return _toned(_scene(plan, *canvas.size), plan.contrast)


def _fitted(picture: Pictures, size: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(picture)
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


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


def noisy(image: Image.Image, painting: Painting, index: int) -> Image.Image:
    """Lay the noise that was not removed over the picture, in the grain of latent cells."""
    width, height = image.size
    rng = generator("noise", painting.seed, index, painting.sampler)
    cells = rng.standard_normal((max(2, height // CELL), max(2, width // CELL), 3)) * 62 + 118
    grain = Image.fromarray(cells.clip(0, 255).astype(np.uint8))
    share = min(1.0, painting.leftover)
    return Image.blend(image, grain.resize((width, height), Image.Resampling.BICUBIC), share)
