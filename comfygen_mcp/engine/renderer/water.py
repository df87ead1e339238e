"""Water: what stands above it, mirrored and broken by ripples, and the path of light on it."""

import numpy as np
from PIL import Image, ImageDraw

from comfygen_mcp.engine.renderer.colour import mix, scale, to_bytes
from comfygen_mcp.engine.renderer.fields import profile
from comfygen_mcp.engine.renderer.plan import Plan


def paint_water(image: Image.Image, plan: Plan, *, level: float, rough: float) -> None:
    """Fill the picture below *level* (a share of the height) with a mirror of what is above it."""
    width, height = image.size
    top = int(level * height)
    depth = height - top
    if depth < 2:
        return
    rng = plan.chance("water")
    rows = np.arange(depth)
    distance = rows / depth
    wave = np.sin(rows**0.8 * 1.9 + rng.uniform(0, 6)) + 0.6 * np.sin(rows**0.62 * 5.1)
    source_rows = np.clip(top - 1 - rows * 0.85 - wave * rough * (2 + 10 * distance), 0, top - 1)
    above = np.asarray(image.crop((0, 0, width, top)))
    mirrored = above[source_rows.astype(np.int32)].astype(np.float32)
    swing = profile(rng, depth, bumps=depth / 9, octaves=2) * rough * width * (0.004 + 0.012 * distance)
    for row in range(depth):
        mirrored[row] = np.roll(mirrored[row], int(swing[row]), axis=0)
    deep = np.array(to_bytes(scale(mix(plan.palette.zenith, plan.palette.land, 0.35), 0.9)), np.float32)
    share = (0.2 + 0.36 * distance + 0.06 * wave * rough)[:, None, None].clip(0, 0.85)
    shaded = (1 - share) * mirrored * 0.94 + share * deep
    image.paste(Image.fromarray(shaded.clip(0, 255).astype(np.uint8)), (0, top))
    _draw_glitter(image, plan, top, rough)


def _draw_glitter(image: Image.Image, plan: Plan, top: int, rough: float) -> None:
    """Scatter short lines of light below the sun, and faint ones of the sky's colour everywhere."""
    rng = plan.chance("glitter")
    width, height = image.size
    draw = ImageDraw.Draw(image, "RGBA")
    bright = to_bytes(mix(plan.palette.sun, (1, 1, 1), 0.3))
    pale = to_bytes(mix(plan.palette.horizon, (1, 1, 1), 0.25))
    thick = max(1, height // 400)
    for kind, count in (("sun", 150), ("sky", int(90 * (1 + rough)))):
        for near, across, length in rng.random((count, 3)):
            y = top + (near**1.7) * (height - top)
            if kind == "sun":
                x = plan.sun_x * width + (across - 0.5) * width * (0.05 + 0.2 * near)
                shade = (*bright, int(150 * (1 - abs(across - 0.5) * 1.7)))
            else:
                x, shade = across * width, (*pale, 46)
            half = width * (0.004 + 0.022 * length * (0.3 + near))
            draw.line([(x - half, y), (x + half, y)], fill=shade, width=thick)


def paint_waves(image: Image.Image, plan: Plan, *, level: float) -> None:
    """Draw swells that come nearer, each with a lit edge."""
    rng = plan.chance("waves")
    width, height = image.size
    draw = ImageDraw.Draw(image, "RGBA")
    x = np.linspace(0, width, max(16, width // 6))
    foam = to_bytes(mix(plan.palette.horizon, (1, 1, 1), 0.6))
    for index in range(7):
        near = (index + 0.6) / 7
        y = height * (level + (1 - level) * near**1.5)
        swell = height * (0.004 + 0.016 * near)
        line = y + swell * np.sin(x / width * rng.uniform(9, 22) / (0.4 + near) + rng.uniform(0, 6))
        line = line + 0.5 * swell * np.sin(x / width * rng.uniform(25, 60) + rng.uniform(0, 6))
        points = [(float(a), float(b)) for a, b in zip(x, line, strict=True)]
        shadow = [*points, *((a, b + swell * 1.6) for a, b in reversed(points))]
        draw.polygon(shadow, fill=(*to_bytes(scale(plan.palette.zenith, 0.55)), 60))
        draw.line(points, fill=(*foam, int(50 + 110 * near)), width=max(1, int(height * 0.0035 * near + 0.5)))
