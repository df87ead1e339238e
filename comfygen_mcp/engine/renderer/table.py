"""A still life's place: a table before a wall, in the light of a window."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from comfygen_mcp.engine.renderer.colour import Rgb, mix, scale, to_bytes
from comfygen_mcp.engine.renderer.fields import cloud_field
from comfygen_mcp.engine.renderer.plan import Plan

EDGE = 0.66
"""Where the table begins, as a share of the height."""
WOOD: Rgb = (0.58, 0.38, 0.22)
WALLS: tuple[Rgb, ...] = ((0.86, 0.8, 0.7), (0.74, 0.79, 0.76), (0.82, 0.77, 0.78), (0.72, 0.76, 0.82))


def paint_table(plan: Plan, width: int, height: int) -> Image.Image:
    bright = 0.45 + 0.55 * plan.palette.light
    image = _wall(plan, width, height, bright)
    top = int(height * EDGE)
    image.paste(_boards(plan, width, height - top, bright), (0, top))
    line = max(1, height // 250)
    ImageDraw.Draw(image).rectangle(
        (0, top, width, top + line), fill=to_bytes(scale(_wood(plan), 1.18 * bright))
    )
    return image


def _wall(plan: Plan, width: int, height: int, bright: float) -> Image.Image:
    rng = plan.chance("wall")
    shade = mix(WALLS[int(rng.integers(len(WALLS)))], plan.palette.horizon, 0.3)
    small = (max(8, width // 4), max(8, height // 4))
    y, x = np.mgrid[0 : 1 : small[1] * 1j, 0 : 1 : small[0] * 1j].astype(np.float32)
    light = 1.06 - 0.34 * np.hypot(x - plan.sun_x, 0.8 * (y - 0.15))
    light += 0.012 * cloud_field(rng, *small, cells=7, stretch=1, octaves=4)
    pixels = (np.array(shade, np.float32) * (bright * light)[..., None]).clip(0, 1) * 255
    image = Image.fromarray(pixels.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    _draw_window_light(image, plan)
    return image


def _draw_window_light(image: Image.Image, plan: Plan) -> None:
    """Let the light of a window with four panes fall aslant onto the wall."""
    width, height = image.size
    light = Image.new("L", image.size)
    draw = ImageDraw.Draw(light)
    unit, lean = min(image.size), -0.3 if plan.sun_x < 0.5 else 0.3
    left = (0.72 if plan.sun_x < 0.5 else 0.06) * width
    for column in (0, 1):
        for row in (0, 1):
            x, y = left + 0.125 * unit * column, (0.09 + 0.2 * row) * height
            tall, drop = 0.18 * height, lean * 0.11 * unit
            corners = [(x, y), (x + 0.11 * unit, y + drop), (x + 0.11 * unit, y + tall + drop), (x, y + tall)]
            draw.polygon(corners, fill=int(70 * plan.palette.light))
    shade = to_bytes(mix(plan.palette.sun, (1, 1, 1), 0.5))
    image.paste(shade, (0, 0), light.filter(ImageFilter.GaussianBlur(unit / 140)))


def _boards(plan: Plan, width: int, height: int, bright: float) -> Image.Image:
    """Paint boards that run along the table, wider towards the front, with their grain."""
    rng = plan.chance("boards")
    wood = _wood(plan)
    grain = cloud_field(rng, width, height, cells=9, stretch=26, octaves=3)
    down = np.linspace(0, 1, height, dtype=np.float32)
    boards = (4 * down**1.6).astype(np.int32)
    tone = rng.uniform(0.9, 1.08, 6).astype(np.float32)[boards]
    seams = np.ones(height, np.float32)
    seams[1:][np.diff(boards) > 0] = 0.62
    light = (tone * seams * (0.84 + 0.16 * down))[:, None] * (1 + 0.055 * grain)
    pixels = np.array(wood, np.float32) * (bright * light)[..., None]
    return Image.fromarray((pixels.clip(0, 1) * 255).astype(np.uint8))


def _wood(plan: Plan) -> Rgb:
    return mix(plan.ground or WOOD, plan.palette.horizon, 0.12)
