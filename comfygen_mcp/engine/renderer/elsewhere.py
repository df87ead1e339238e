"""Places without land: space and the deep sea."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from comfygen_mcp.engine.renderer.colour import NAMED, Rgb, mix, scale, to_bytes, turn
from comfygen_mcp.engine.renderer.fields import cloud_field, profile, smoothstep
from comfygen_mcp.engine.renderer.land import Ridge, paint_ridge
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.sky import draw_stars


def paint_space(plan: Plan, width: int, height: int) -> Image.Image:
    rng = plan.chance("space")
    small = (max(8, width // 3), max(8, height // 3))
    first = plan.accents[0] if plan.accents else turn((0.5, 0.25, 0.75), float(rng.uniform(-60, 60)))
    second = plan.accents[1] if len(plan.accents) > 1 else turn(first, float(rng.uniform(60, 140)))
    sky = np.zeros((small[1], small[0], 3), np.float32) + np.array((0.012, 0.014, 0.04), np.float32)
    y, x = np.mgrid[0 : small[1], 0 : small[0]].astype(np.float32)
    tilt = rng.uniform(-0.7, 0.7)
    across = (y / small[1] - 0.5) - tilt * (x / small[0] - 0.5)
    band = np.exp(-((across / 0.27) ** 2))
    for shade, strength in ((first, 0.95), (second, 0.8), ((1.0, 0.92, 0.85), 0.5)):
        cloud = smoothstep(-0.25, 1.3, cloud_field(rng, *small, cells=2.4, stretch=1.3, octaves=6))
        sky += (strength * cloud * band)[..., None] * np.array(shade, np.float32)
    dust = smoothstep(0.15, 1.0, cloud_field(rng, *small, cells=3, stretch=1.4, octaves=6)) * band
    sky *= 1 - 0.75 * dust[..., None]
    pixels = (np.clip(sky, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    draw_stars(image, plan, density=2.4, depth=1.0)
    _draw_planet(image, plan, second)
    return image


def _draw_planet(image: Image.Image, plan: Plan, shade: Rgb) -> None:
    """Draw a banded ball, lit from one side, mostly with a ring."""
    rng = plan.chance("planet")
    unit = min(image.size)
    radius = unit * rng.uniform(0.13, 0.23)
    size = int(radius * 2)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    inside = np.clip((1 - np.sqrt(x**2 + y**2)) * radius, 0, 1)
    bands = 0.5 + 0.5 * np.sin(y * rng.uniform(7, 14) + 0.5 * np.sin(x * 2.5) + rng.uniform(0, 6))
    toward = -1.0 if plan.sun_x < 0.5 else 1.0
    light = np.clip(
        0.62 * (x * toward) - 0.35 * y + 0.6 * np.sqrt(np.clip(1 - x**2 - y**2, 0, 1)), 0.02, 1.15
    )
    dark, pale = (
        np.array(scale(shade, 0.7), np.float32),
        np.array(mix(shade, (1, 0.95, 0.85), 0.5), np.float32),
    )
    ball = (dark + bands[..., None] * (pale - dark)) * light[..., None]
    centre = (plan.sun_x * image.width, (0.2 + 0.35 * plan.sun_y) * image.height)
    box = (int(centre[0] - radius), int(centre[1] - radius))
    ringed = rng.random() < 0.65
    tilt = rng.uniform(-25, 25)
    if ringed:
        _draw_ring(image, centre, radius, tilt, shade, behind=True)
    pixels = Image.fromarray((np.clip(ball, 0, 1) * 255).astype(np.uint8))
    image.paste(pixels, box, Image.fromarray((inside * 255).astype(np.uint8)))
    if ringed:
        _draw_ring(image, centre, radius, tilt, shade, behind=False)


def _draw_ring(
    image: Image.Image, centre: tuple[float, float], radius: float, tilt: float, shade: Rgb, *, behind: bool
) -> None:
    reach = int(radius * 2.1)
    mask = Image.new("L", (reach * 4, reach * 4))
    draw = ImageDraw.Draw(mask)
    for wide, level in ((2.0, 150), (1.82, 60), (1.76, 190), (1.5, 110), (1.38, 0)):
        far, flat = radius * wide * 2, radius * wide * 0.56
        middle = reach * 2
        draw.ellipse([middle - far, middle - flat, middle + far, middle + flat], fill=level)
    half = (0, reach * 2, reach * 4, reach * 4) if behind else (0, 0, reach * 4, reach * 2)
    draw.rectangle(half, fill=0)
    turned = mask.rotate(tilt, Image.Resampling.BICUBIC).resize((reach * 2, reach * 2), Image.Resampling.BOX)
    image.paste(
        to_bytes(mix(shade, (1, 0.95, 0.85), 0.6)), (int(centre[0] - reach), int(centre[1] - reach)), turned
    )


def paint_underwater(plan: Plan, width: int, height: int) -> Image.Image:
    rng = plan.chance("underwater")
    base: Rgb = plan.accents[0] if plan.accents else (0.06, 0.5, 0.66)
    top, bottom = mix(base, (0.75, 0.98, 0.98), 0.5), scale(turn(base, 12), 0.26)
    small = (max(8, width // 3), max(8, height // 3))
    y, x = np.mgrid[0 : small[1], 0 : small[0]].astype(np.float32)
    down = (y / small[1])[..., None]
    water = np.array(top, np.float32) * (1 - down) ** 1.4 + np.array(bottom, np.float32) * (
        1 - (1 - down) ** 1.4
    )
    angle = (x / small[0] - plan.sun_x) / (y / small[1] + 0.35)
    rays = sum(np.sin(angle * rng.uniform(9, 40) + rng.uniform(0, 6)) for _ in range(4))
    beams = np.clip(rays / 2.4, 0, 1) * np.exp(-2.2 * y / small[1])
    water += (0.26 * beams)[..., None].astype(np.float32) * np.array(top, np.float32)
    pixels = (np.clip(water, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    _paint_floor(image, plan, rng, bottom, top)
    _draw_bubbles(image, rng)
    return image


def _paint_floor(image: Image.Image, plan: Plan, rng: np.random.Generator, deep: Rgb, pale: Rgb) -> None:
    width, height = image.size
    for index in range(3):
        base = height * (0.76 + 0.085 * index)
        top = base - height * 0.05 * profile(rng, width, bumps=2 + index, octaves=3)
        crest = mix(mix(deep, (0.75, 0.68, 0.5), 0.2 + 0.12 * index), pale, 0.16)
        _draw_weeds(image, rng, top, scale(crest, 0.8), count=10 + 4 * index)
        paint_ridge(image, Ridge(top, crest, scale(crest, 0.55)))
    _draw_corals(image, rng, plan)


def _draw_weeds(
    image: Image.Image, rng: np.random.Generator, top: "np.ndarray", shade: Rgb, *, count: int
) -> None:
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    for _ in range(count):
        x = int(rng.integers(len(top)))
        tall, sway = unit * rng.uniform(0.06, 0.2), unit * rng.uniform(0.006, 0.02)
        phase = rng.uniform(0, 6)
        steps = np.linspace(0, 1, 14)
        line = [(x + sway * np.sin(phase + s * 5) * s * 2, top[x] + 4 - tall * s) for s in steps]
        green = mix(shade, NAMED["emerald"], float(rng.uniform(0.05, 0.3)))
        draw.line(
            [(float(a), float(b)) for a, b in line],
            fill=to_bytes(green),
            width=max(1, int(unit / 130)),
            joint="curve",
        )


def _draw_corals(image: Image.Image, rng: np.random.Generator, plan: Plan) -> None:
    draw = ImageDraw.Draw(image)
    width, height = image.size
    unit = min(width, height)
    shades = [NAMED["pink"], NAMED["orange"], NAMED["violet"], NAMED["rose"], *plan.accents]
    for _ in range(7):
        x, y = rng.uniform(0, 1) * width, height * rng.uniform(0.9, 1.02)
        shade = to_bytes(scale(mix(shades[int(rng.integers(len(shades)))], (0.1, 0.3, 0.45), 0.35), 0.85))
        for _ in range(9):
            angle, reach = rng.uniform(-1.1, 1.1), unit * rng.uniform(0.03, 0.1)
            tip = (x + np.sin(angle) * reach, y - np.cos(angle) * reach)
            thick = max(1, int(unit / 80))
            draw.line([(x, y), tip], fill=shade, width=thick)
            draw.ellipse([tip[0] - thick, tip[1] - thick, tip[0] + thick, tip[1] + thick], fill=shade)


def _draw_bubbles(image: Image.Image, rng: np.random.Generator) -> None:
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    unit = min(image.size)
    for _ in range(34):
        x, y = rng.random() * image.width, rng.random() * image.height * 0.9
        radius = unit * 0.003 + unit * 0.012 * rng.random() ** 3
        draw.ellipse(
            [x - radius, y - radius, x + radius, y + radius], outline=150, width=max(1, int(unit / 500))
        )
    image.paste((235, 255, 255), (0, 0), layer.filter(ImageFilter.GaussianBlur(unit / 1400)))
