"""Style words: the same scene as a watercolour, a sketch, pixels, a poster, an old photograph."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.fields import cloud_field
from comfygen_mcp.engine.renderer.plan import Plan

Treatment: TypeAlias = Callable[[Image.Image, Plan], Image.Image]
PAPER = (250, 246, 236)


def treated(image: Image.Image, plan: Plan) -> Image.Image:
    """Apply the styles named, always in the same order."""
    for style, treat in TREATMENTS.items():
        if style in plan.styles:
            image = treat(image, plan)
    return image


def _oil(image: Image.Image, plan: Plan) -> Image.Image:
    """Take every spot's colour from near by, in strokes that stand out a little."""
    rng = plan.chance("oil")
    width, height = image.size
    cell = max(2, min(width, height) // 170)
    rows, columns = height // cell + 1, width // (3 * cell) + 1
    shifts = rng.normal(0, 1.3 * cell, (3, rows, columns)).astype(np.float32)
    down, across, relief = shifts.repeat(cell, 1).repeat(3 * cell, 2)[:, :height, :width]
    y = np.arange(height, dtype=np.int32)[:, None] + down.astype(np.int32)
    x = np.arange(width, dtype=np.int32)[None, :] + across.astype(np.int32)
    pixels = np.asarray(image)[y.clip(0, height - 1), x.clip(0, width - 1)]
    return _from_floats(pixels + (relief * (5 / cell))[..., None]).filter(ImageFilter.SMOOTH)


def _watercolor(image: Image.Image, plan: Plan) -> Image.Image:
    """Let the colours run a little, darken where they pool, and leave a ragged margin of paper."""
    rng = plan.chance("watercolor")
    width, height = max(8, image.width // 2), max(8, image.height // 2)
    half = image.resize((width, height), Image.Resampling.BOX)
    pixels = np.asarray(half.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.SMOOTH), np.float32)
    pools = cloud_field(rng, width, height, cells=7, stretch=1, octaves=5)
    wet = pixels + (255 - pixels) * (0.2 + 0.12 * pools)[..., None].clip(0, 0.6)
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    inward = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y)) / min(width, height)
    covered = ((inward - 0.045 - 0.03 * pools) * 26).clip(0, 1)[..., None]
    washed = _from_floats(wet * covered + np.array(PAPER, np.float32) * (1 - covered))
    return washed.resize(image.size, Image.Resampling.BICUBIC)


def _sketch(image: Image.Image, plan: Plan) -> Image.Image:
    """Keep the edges, as a soft pencil would, with a breath of colour."""
    grey = image.convert("L")
    blurred = ImageChops.invert(grey).filter(ImageFilter.GaussianBlur(max(1.0, min(image.size) / 130)))
    line = np.asarray(grey, np.float32) / np.maximum(255 - np.asarray(blurred, np.float32), 1)
    tone = np.asarray(grey, np.float32)[..., None] / 255
    hatch = plan.chance("sketch").normal(0, 5, (image.height, image.width, 1)).astype(np.float32)
    paper = np.array(PAPER, np.float32) * (line.clip(0, 1) ** 1.6)[..., None] * (0.72 + 0.28 * tone)
    return _from_floats(0.82 * paper + 0.18 * np.asarray(image, np.float32) + hatch)


def _neon(image: Image.Image, plan: Plan) -> Image.Image:
    """Darken the scene and let its edges glow."""
    del plan
    edges = image.filter(ImageFilter.FIND_EDGES)
    lines = ImageOps.expand(ImageOps.crop(edges, 2), 2).point(_curve(3))
    glow = lines.filter(ImageFilter.BoxBlur(max(1.0, min(image.size) / 130)))
    dark = image.point(_curve(0.72))
    return ImageChops.screen(ImageChops.screen(dark, glow), lines.point(_curve(0.5)))


def _poster(image: Image.Image, plan: Plan) -> Image.Image:
    del plan
    flat = image.quantize(14, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return flat.convert("RGB")


def _pixel(image: Image.Image, plan: Plan) -> Image.Image:
    del plan
    width, height = image.size
    scale = 96 / max(96, min(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    few = small.quantize(28, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    return few.resize((width, height), Image.Resampling.NEAREST)


def _ink(image: Image.Image, plan: Plan) -> Image.Image:
    del plan
    deep = image.convert("L").point([round(255 * (level / 255) ** 1.25) for level in range(256)])
    return Image.merge("RGB", (deep, deep, deep))


def _photo(image: Image.Image, plan: Plan) -> Image.Image:
    return _grain(_vignette(image, 0.42), plan, 3.0)


def _vintage(image: Image.Image, plan: Plan) -> Image.Image:
    grey = np.asarray(image.convert("L"), np.float32)[..., None]
    sepia = 40 + grey * np.array((0.84, 0.72, 0.55), np.float32)
    faded = 0.7 * sepia + 0.3 * np.asarray(image, np.float32)
    return _grain(_vignette(_from_floats(faded), 0.6), plan, 6.0)


def _vignette(image: Image.Image, strength: float) -> Image.Image:
    y, x = np.mgrid[-1:1:64j, -1:1:64j].astype(np.float32)
    level = np.clip(1 - strength * (x**2 + y**2) ** 1.2 * 0.5, 0, 1)
    shade = Image.fromarray((level * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(image, Image.merge("RGB", (shade, shade, shade)))


def _grain(image: Image.Image, plan: Plan, strength: float) -> Image.Image:
    noise = plan.chance("grain").normal(0, strength, (image.height, image.width, 1)).astype(np.float32)
    return _from_floats(np.asarray(image, np.float32) + noise)


def _curve(factor: float) -> list[int]:
    return [min(255, round(level * factor)) for level in range(256)] * 3


def _from_floats(pixels: Plane) -> Image.Image:
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


TREATMENTS: dict[str, Treatment] = {
    "oil": _oil,
    "watercolor": _watercolor,
    "neon": _neon,
    "poster": _poster,
    "pixel": _pixel,
    "sketch": _sketch,
    "photo": _photo,
    "vintage": _vintage,
    "ink": _ink,
}
