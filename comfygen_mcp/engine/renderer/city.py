"""A city: rows of towers, farther ones paler, with lit windows when it is dark."""

import numpy as np
from PIL import Image, ImageDraw

from comfygen_mcp.engine.renderer.colour import NAMED, Rgb, mix, scale, to_bytes
from comfygen_mcp.engine.renderer.land import layer_colours
from comfygen_mcp.engine.renderer.plan import Plan

WARM: tuple[Rgb, ...] = ((1.0, 0.85, 0.5), (1.0, 0.74, 0.4), (0.95, 0.93, 0.8))
NEON: tuple[Rgb, ...] = (NAMED["magenta"], NAMED["cyan"], NAMED["violet"], (1.0, 0.85, 0.5), NAMED["pink"])


def paint_city(image: Image.Image, plan: Plan, *, ground: float) -> None:
    """Stand three rows of towers on *ground*, a share of the height."""
    rng = plan.chance("city")
    for row in range(3):
        _paint_row(image, plan, rng, ground=ground, row=row)


def _paint_row(image: Image.Image, plan: Plan, rng: np.random.Generator, *, ground: float, row: int) -> None:
    width, height = image.size
    crest, _ = layer_colours(plan, 0.28 + 0.3 * row)
    shade = scale(mix(crest, plan.palette.land, 0.2 + 0.15 * row), 0.9)
    draw = ImageDraw.Draw(image)
    unit = min(width, height)
    base = height * ground
    x = -0.03 * unit
    while x < width:
        wide = unit * rng.uniform(0.035, 0.085) * (1 + 0.22 * row)
        rise = rng.beta(1.7, 2.6) * (0.46 - 0.08 * row) + 0.06
        centred = 1 - 0.5 * abs((x / width) - plan.sun_x)
        top = base - height * rise * centred
        own = mix(shade, plan.palette.horizon, float(rng.uniform(0, 0.06)))
        _draw_tower(draw, (x, top, x + wide, base), own, rng)
        if row or plan.is_dark:
            _draw_windows(draw, plan, (x, top, x + wide, base), own, rng)
        x += wide * rng.uniform(0.72, 1.12)


def _draw_tower(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], shade: Rgb, rng: np.random.Generator
) -> None:
    left, top, right, base = box
    fill = to_bytes(shade)
    middle, wide = (left + right) / 2, right - left
    draw.rectangle(box, fill=fill)
    kind = rng.random()
    if kind < 0.2:
        draw.polygon([(left, top), (middle, top - wide * 0.9), (right, top)], fill=fill)
    elif kind < 0.45:
        draw.rectangle((left + wide * 0.2, top - wide * 0.35, right - wide * 0.2, top), fill=fill)
        draw.line([(middle, top - wide * 1.1), (middle, top)], fill=fill, width=max(1, int(wide / 22)))
    # A paler edge on the side of the light rounds the block.
    draw.rectangle((left, top, left + wide * 0.07, base), fill=to_bytes(mix(shade, (1, 1, 1), 0.08)))


def _draw_windows(
    draw: ImageDraw.ImageDraw,
    plan: Plan,
    box: tuple[float, float, float, float],
    wall: Rgb,
    rng: np.random.Generator,
) -> None:
    left, top, right, base = box
    step_x = max(3.0, (right - left) / rng.integers(4, 8))
    step_y = step_x * rng.uniform(0.9, 1.5)
    rows, columns = int((base - top) / step_y), int((right - left) / step_x)
    if rows < 1 or columns < 1:
        return
    lit_share = 0.42 if plan.is_dark else 0.1
    colours = NEON if "neon" in plan.styles else WARM
    lit = rng.random((rows, columns))
    picks = rng.integers(len(colours), size=(rows, columns))
    dull = to_bytes(mix(wall, plan.palette.horizon, 0.22) if not plan.is_dark else scale(wall, 0.8))
    for row, column in np.ndindex(rows, columns):
        bright = lit[row, column] < lit_share
        if not bright and plan.is_dark:
            continue
        x, y = left + (column + 0.28) * step_x, top + (row + 0.3) * step_y
        shade = to_bytes(mix(colours[picks[row, column]], wall, 0.1)) if bright else dull
        draw.rectangle((x, y, x + step_x * 0.42, y + step_y * 0.38), fill=shade)
