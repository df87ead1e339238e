"""The sky: a gradient with the glow of its light, clouds, stars, sun or moon, aurora."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from comfygen_mcp.engine.renderer.colour import Plane, Rgb, mix, scale, to_bytes
from comfygen_mcp.engine.renderer.fields import cloud_field, smoothstep
from comfygen_mcp.engine.renderer.plan import Plan

CLOUDY = frozenset(["cloud", "clouds", "cloudy"])
TOP_FREE = 0.09
SHRINK = 3
"""The sky has no sharp edges but the disc and the stars, so it is painted at a third of the size."""


def paint_sky(plan: Plan, width: int, height: int) -> Image.Image:
    small_width, small_height = max(8, width // SHRINK), max(8, height // SHRINK)
    sky = clear_sky(plan, small_width, small_height)
    add_clouds(sky, plan, clouds_of(plan, small_width, small_height))
    if "aurora" in plan.weather:
        add_aurora(sky, plan)
    image = enlarged_sky(sky, width, height)
    draw_lights(image, plan)
    return image


def clear_sky(plan: Plan, width: int, height: int) -> Plane:
    sky = _gradient(plan, width, height)
    return 1 - (1 - sky) * (1 - _glow(plan, width, height))


def enlarged_sky(sky: Plane, width: int, height: int) -> Image.Image:
    pixels = (np.clip(sky, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def draw_lights(image: Image.Image, plan: Plan) -> None:
    """Draw the stars, and the sun or moon."""
    if plan.is_dark:
        night = plan.time == "night"
        draw_stars(image, plan, density=1.0 if night else 0.3, depth=plan.horizon * (1 if night else 0.6))
    if plan.time != "storm":
        _draw_disc(image, plan)


def disc_position(plan: Plan, width: int, height: int) -> tuple[float, float]:
    return plan.sun_x * width, _disc_height(plan) * height


def draw_stars(image: Image.Image, plan: Plan, *, density: float, depth: float) -> None:
    rng = plan.chance("stars")
    width, height = image.size
    draw = ImageDraw.Draw(image)
    count = int(density * 170 * (width / height) ** 0.5)
    size = max(0.5, min(width, height) / 900)
    for x, y, bright in rng.random((count, 3)):
        level = 0.35 + 0.65 * bright**3
        radius = size * (0.5 + 1.1 * bright**6)
        shade = to_bytes(mix(plan.palette.middle, (1, 1, 1), level))
        left, top = x * width, y**1.3 * depth * height
        draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=shade)


def _gradient(plan: Plan, width: int, height: int) -> Plane:
    palette = plan.palette
    stops = np.array([palette.zenith, palette.middle, palette.horizon, palette.horizon], np.float32)
    places = np.array([0, 0.55 * plan.horizon, plan.horizon, 1], np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)
    columns = [np.interp(y, places, stops[:, channel]) for channel in range(3)]
    line = np.stack(columns, axis=-1).astype(np.float32)
    return np.repeat(line[:, None, :], width, axis=1)


def _glow(plan: Plan, width: int, height: int) -> Plane:
    distance = _distance(plan, width, height)
    strength = {"night": 0.22, "storm": 0.12, "day": 0.3}.get(plan.time, 0.55)
    halo = strength * np.exp(-distance * 2.6) + 0.5 * strength * np.exp(-distance * 9)
    tint = np.array(mix(plan.palette.sun, plan.palette.horizon, 0.45), np.float32)
    return np.clip(halo[..., None] * tint, 0, 0.97).astype(np.float32)


def _distance(plan: Plan, width: int, height: int) -> Plane:
    """Return the distance of every point from the sun, in heights."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across = (x / width - plan.sun_x) * width / height
    down = y / height - _disc_height(plan)
    return np.sqrt(across**2 + (1.25 * down) ** 2)


def clouds_of(plan: Plan, width: int, height: int) -> Plane:
    """Return how thick the clouds are everywhere, above 0.4 or so where there are any."""
    rng = plan.chance("clouds")
    cover = float(rng.uniform(-0.1, 0.55))
    if not CLOUDY.isdisjoint(plan.words):
        cover = 0.75 + 0.2 * cover
    field = cloud_field(rng, width, height, cells=3.2, stretch=3.2, octaves=5)
    return field + (0.75 if plan.time == "storm" else cover)


def add_clouds(sky: Plane, plan: Plan, field: Plane) -> None:
    height, width = sky.shape[:2]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    # Thin out towards the upper edge, which would cut the clouds off.
    fade = np.clip(1.15 - y / plan.horizon * 0.75, 0.1, 1) * smoothstep(-0.02, TOP_FREE, y)
    amount = smoothstep(0.55, 1.35, field) * fade
    # The upper side of a bump is lit, its lower side lies in its own shade.
    slope = np.zeros_like(field)
    slope[2:] = np.clip((field[2:] - field[:-2]) * 2.2, -1, 1)
    light = np.clip(0.5 + 0.5 * slope + 0.5 * np.exp(-2.2 * _distance(plan, width, height)), 0, 1)
    bright, shaded = _cloud_colours(plan)
    tones = np.array(shaded, np.float32) + light[..., None] * np.array(
        np.subtract(bright, shaded), np.float32
    )
    amount = (0.8 * amount)[..., None]
    sky *= 1 - amount
    sky += amount * tones


def _cloud_colours(plan: Plan) -> tuple[Rgb, Rgb]:
    palette = plan.palette
    if plan.time == "night":
        return mix(palette.middle, palette.horizon, 0.7), scale(palette.middle, 0.8)
    if plan.time == "storm":
        return mix(palette.horizon, (1, 1, 1), 0.15), scale(palette.zenith, 0.8)
    return mix(palette.sun, palette.horizon, 0.35), mix(palette.middle, palette.zenith, 0.45)


def add_aurora(sky: Plane, plan: Plan, shift: float = 0.0) -> None:
    """Hang curtains of light into the sky; *shift* lets them wave."""
    height, width = sky.shape[:2]
    rng = plan.chance("aurora")
    x = np.arange(width, dtype=np.float32) / width
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    for shade in ((0.2, 0.95, 0.6), (0.25, 0.6, 0.95), (0.75, 0.3, 0.85)):
        base = plan.horizon * rng.uniform(0.45, 0.85)
        bend = sum(
            rng.uniform(0.02, 0.07) * np.sin(x * rng.uniform(3, 14) + rng.uniform(0, 6) + shift)
            for _ in range(3)
        )
        above = base + bend - y
        curtain = np.where(above > 0, np.exp(-above * 5.5), np.exp(above * 60))
        rays = 0.55 + 0.45 * np.sin(x * rng.uniform(50, 90) + 9 * bend + 2 * shift)
        sky += (0.4 * curtain * rays)[..., None].astype(np.float32) * np.array(shade, np.float32)


def _disc_height(plan: Plan) -> float:
    """Return where the disc stands: near the horizon when the day begins or ends, high at noon and night."""
    low = {"dawn": 0.86, "sunset": 0.9, "dusk": 0.6, "golden": 0.72}.get(plan.time)
    return plan.horizon * (low if low is not None else 0.22 + 0.35 * plan.sun_y)


def _draw_disc(image: Image.Image, plan: Plan) -> None:
    width, height = image.size
    is_moon = plan.is_dark
    radius = min(width, height) * (0.045 if is_moon else 0.06 if plan.time == "sunset" else 0.042)
    x, y = disc_position(plan, width, height)
    tile = int(radius * 2.6) + 2
    mask = Image.new("L", (tile * 3, tile * 3))
    draw = ImageDraw.Draw(mask)
    centre, reach = tile * 1.5, radius * 3
    draw.ellipse([centre - reach, centre - reach, centre + reach, centre + reach], fill=255)
    if is_moon and plan.chance("moon").random() < 0.55:
        shift = reach * 0.55
        draw.ellipse(
            [centre - reach + shift, centre - reach * 1.15, centre + reach + shift, centre + reach * 0.85],
            fill=0,
        )
    mask = mask.resize((tile, tile), Image.Resampling.LANCZOS)
    soft = mask.filter(ImageFilter.GaussianBlur(radius * 0.25)).point([level // 3 for level in range(256)])
    box = (int(x - tile / 2), int(y - tile / 2))
    shade = to_bytes(mix(plan.palette.sun, (1, 1, 1), 0.75))
    image.paste(shade, box, soft)
    image.paste(shade, box, mask)
