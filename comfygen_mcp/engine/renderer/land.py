"""The land: layers of ridges that fade into the haze with distance, and what grows on them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from comfygen_mcp.engine.renderer.colour import Plane, Rgb, mix, multiply, scale, to_bytes
from comfygen_mcp.engine.renderer.fields import profile
from comfygen_mcp.engine.renderer.plan import Plan

GROUNDS: dict[str, Rgb] = {
    "forest": (0.16, 0.3, 0.2),
    "meadow": (0.36, 0.52, 0.22),
    "desert": (0.86, 0.6, 0.36),
    "lake": (0.2, 0.32, 0.26),
    "sea": (0.32, 0.33, 0.3),
    "city": (0.2, 0.22, 0.28),
}


@dataclass(frozen=True)
class Ridge:
    """One layer: the line of its top in pixels from above, and its colours at the crest and in the valley."""

    top: Plane
    crest: Rgb
    valley: Rgb


def ground_colour(plan: Plan) -> Rgb:
    """Return the colour of near land in the light of the hour."""
    if "snow" in plan.weather:
        white = mix((0.95, 0.97, 1.0), plan.palette.horizon, 0.2)
        return scale(white, 0.28 + 0.7 * plan.palette.light)
    local = plan.ground or GROUNDS.get(plan.place, (0.24, 0.3, 0.34))
    lit = multiply(scale(local, 0.35 + 0.65 * plan.palette.light), mix((1, 1, 1), plan.palette.horizon, 0.4))
    return mix(plan.palette.land, lit, 0.34 + 0.41 * plan.palette.light)


@dataclass(frozen=True)
class Surface:
    """How bright each pixel of a layer is, and how much snow lies on it."""

    light: Plane
    snow: Plane | None = None
    snow_colour: Rgb = (1, 1, 1)


def paint_ridge(image: Image.Image, ridge: Ridge, surface: Surface | None = None) -> None:
    """Paint one layer down to the bottom."""
    width, height = image.size
    first = max(0, int(ridge.top.min()) - 1)
    if first >= height:
        return
    rows = np.arange(first, height, dtype=np.float32)[:, None]
    cover = np.clip(rows - ridge.top[None, :] + 0.5, 0, 1)
    depth = np.clip((rows - first) / max(1.0, 0.55 * (height - first)), 0, 1)
    crest, valley = np.array(ridge.crest, np.float32), np.array(ridge.valley, np.float32)
    if surface is None:
        line = np.clip(crest + depth * (valley - crest), 0, 1) * 255
        strip = Image.fromarray(line.astype(np.uint8)[:, None, :].reshape(-1, 1, 3)).resize(
            (width, height - first)
        )
    else:
        shaded = np.broadcast_to((crest + depth * (valley - crest))[:, None, :], (height - first, width, 3))
        if surface.snow is not None:
            snow = surface.snow[first:, :, None]
            shaded = shaded + snow * (np.array(surface.snow_colour, np.float32) - shaded)
        shaded = shaded * surface.light[first:, :, None]
        strip = Image.fromarray((np.clip(shaded, 0, 1) * 255).astype(np.uint8))
    image.paste(strip, (0, first), Image.fromarray((cover * 255).astype(np.uint8)))


def layer_colours(plan: Plan, nearness: float) -> tuple[Rgb, Rgb]:
    """Return crest and valley of a layer: the farther, the more it is made of air."""
    air = plan.palette.horizon
    near = ground_colour(plan)
    haze = (1 - nearness) ** 1.25 * 0.82
    thick = 0.5 if "fog" in plan.weather else 0.22
    bare = 0.15 if "snow" in plan.weather else 0.55 - 0.35 * nearness
    crest = mix(scale(mix(near, plan.palette.land, bare), 0.95), air, haze)
    valley = mix(crest, air, thick * (1.15 - nearness))
    return crest, valley


def paint_mountains(image: Image.Image, plan: Plan) -> None:
    rng = plan.chance("mountains")
    width, height = image.size
    count = 3 + int(rng.integers(2))
    for index in range(count):
        nearness = index / (count + 0.6)
        base = height * (plan.horizon - 0.06 + 0.1 * index)
        reach = height * rng.uniform(0.13, 0.24) * (1.15 - 0.4 * nearness)
        line = profile(rng, width, bumps=rng.uniform(1.6, 3.2), octaves=7, ridged=True, fall=0.47)
        top = base - reach * (0.35 + line)
        crest, valley = layer_colours(plan, nearness)
        surface = rock(plan, rng, top, height, snowy=index < 2) if index < 3 else None
        paint_ridge(image, Ridge(top, crest, valley), surface)
    paint_hills(image, plan, start=0.78, count=2)


def rock(plan: Plan, rng: np.random.Generator, top: Plane, height: int, *, snowy: bool) -> Surface:
    """Return faces that run down from the ridge, lit where they look towards the sun."""
    width = len(top)
    facing = 1.0 if plan.sun_x < 0.5 else -1.0
    slope = np.gradient(top) * facing
    kernel = np.ones(max(3, width // 90), np.float32)
    slope = np.convolve(slope, kernel / kernel.size, mode="same").astype(np.float32)
    face = 1 + np.clip(slope * 0.55, -0.26, 0.16)
    rows = np.arange(height, dtype=np.float32)[:, None]
    below = np.clip(rows - top[None, :], 0, None)
    shift = (below * 0.55 * facing).astype(np.int32)
    jitter = (profile(rng, width, bumps=12, octaves=3) * width / 120).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + jitter[None, :] + shift, 0, width - 1)
    light = face[columns]
    fade = np.exp(-below / (0.2 * height))
    light = (1 + (light - 1) * fade).astype(np.float32)
    if not snowy:
        return Surface(light)
    white = mix((0.93, 0.96, 1.0), plan.palette.horizon, 0.3)
    air = mix(scale(white, 0.3 + 0.68 * plan.palette.light), plan.palette.middle, 0.22)
    return Surface(light, _snow_caps(plan, rng, top, below, height), air)


def _snow_caps(plan: Plan, rng: np.random.Generator, top: Plane, below: Plane, height: int) -> Plane:
    """Return 1 where snow lies: below the high parts of the ridge, with a ragged lower edge."""
    width = len(top)
    level = float(np.quantile(top, 0.45))
    ragged = profile(rng, width, bumps=26, octaves=4, ridged=True) * 0.03 * height
    deep = np.clip(level - top, 0, None) * 0.75 + ragged
    if "snow" in plan.weather:
        deep = deep + 0.12 * height
    return np.clip((deep[None, :] - below) / 3 + 0.5, 0, 1)


def paint_hills(image: Image.Image, plan: Plan, *, start: float, count: int, trees: bool = True) -> None:
    """Paint round hills from *start* (a share of the height) to the bottom."""
    rng = plan.chance("hills")
    width, height = image.size
    for index in range(count):
        nearness = 0.62 + 0.38 * (index + 1) / count
        base = height * (start + (1.02 - start) * 0.5 * index / max(1, count - 1))
        line = profile(rng, width, bumps=rng.uniform(0.8, 1.8), octaves=3, fall=0.4)
        top = base - height * 0.05 * line
        crest, valley = layer_colours(plan, nearness)
        if trees and index < count - 1:
            top = with_conifers(rng, top, height * 0.035 * (1 + index))
        paint_ridge(image, Ridge(top, crest, scale(valley, 0.82)))


def paint_meadow(image: Image.Image, plan: Plan) -> None:
    """Paint open hills one behind the other, each lit along its crest, some with round trees."""
    rng = plan.chance("meadow")
    width, height = image.size
    for index in range(6):
        nearness = 0.12 + 0.88 * index / 5
        base = height * (plan.horizon + 0.012 + 0.062 * index)
        line = profile(rng, width, bumps=rng.uniform(0.8, 2.0), octaves=2, fall=0.35)
        top = base - height * (0.045 if index else 0.07) * line
        crest, valley = layer_colours(plan, nearness)
        if 0 < index < 5 and rng.random() < 0.75:
            _draw_round_trees(image, plan, rng, top, nearness)
        sunny = mix(crest, plan.palette.sun, 0.16 * plan.palette.light)
        paint_ridge(image, Ridge(top, sunny, scale(valley, 0.72)))


def _draw_round_trees(
    image: Image.Image, plan: Plan, rng: np.random.Generator, top: Plane, nearness: float
) -> None:
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    crest, _ = layer_colours(plan, nearness * 0.9)
    dark, pale = scale(crest, 0.74), mix(scale(crest, 0.84), plan.palette.sun, 0.07 * plan.palette.light)
    toward = -1 if plan.sun_x < 0.5 else 1
    start = rng.uniform(0.05, 0.8)
    for _ in range(3 + int(rng.integers(6))):
        x = int(np.clip(start + rng.normal(0, 0.05), 0, 0.999) * len(top))
        size = unit * (0.012 + 0.03 * nearness) * rng.uniform(0.6, 1.15)
        y = float(top[x]) - size * 0.75
        draw.rectangle([x - size * 0.1, y, x + size * 0.1, y + size * 1.5], fill=to_bytes(dark))
        for shade, shift, share in ((dark, 0.0, 1.0), (pale, 0.16 * toward, 0.8)):
            left, over, reach = x + shift * size, y - (1 - share) * size * 0.8, size * share
            draw.ellipse(
                [left - reach, over - reach * 1.15, left + reach, over + reach], fill=to_bytes(shade)
            )


def with_conifers(rng: np.random.Generator, top: Plane, size: float) -> Plane:
    """Return the line with a dense row of pointed trees standing on it."""
    width = len(top)
    out = top.copy()
    x, step = 0.0, max(2.0, size * 0.3)
    while x < width:
        tall = size * rng.uniform(0.45, 1.15)
        half = tall * 0.24
        left, right = max(0, int(x - half)), min(width, int(x + half) + 1)
        across = np.abs(np.arange(left, right) - x) / max(1.0, half)
        ground = top[min(width - 1, int(x))]
        out[left:right] = np.minimum(out[left:right], ground - tall * np.clip(1 - across**1.15, 0, 1))
        x += step * rng.uniform(0.55, 1.7)
    return out


def paint_forest(image: Image.Image, plan: Plan) -> None:
    rng = plan.chance("forest")
    width, height = image.size
    for index in range(5):
        nearness = index / 5
        base = height * (plan.horizon + 0.02 + 0.075 * index)
        line = profile(rng, width, bumps=1.5, octaves=4, fall=0.4)
        top = base - height * 0.045 * line
        top = with_conifers(rng, top, height * (0.06 + 0.05 * index))
        crest, valley = layer_colours(plan, nearness)
        if "snow" in plan.weather:
            crest = mix(crest, plan.palette.land, 0.2 + 0.42 * nearness)
        paint_ridge(image, Ridge(top, scale(crest, 0.92), mix(valley, plan.palette.horizon, 0.16)))
    paint_hills(image, plan, start=0.86, count=2, trees=False)
    _frame_with_trunks(image, plan, rng)


def _frame_with_trunks(image: Image.Image, plan: Plan, rng: np.random.Generator) -> None:
    """Stand dark trunks near both edges, so that one looks into the wood."""
    width, height = image.size
    mask = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(mask)
    sides = [
        rng.uniform(-0.01, 0.1),
        rng.uniform(0.9, 1.01),
        rng.uniform(0.03, 0.16),
        rng.uniform(0.85, 0.98),
    ]
    for side in sides[: 2 + int(rng.integers(3))]:
        x, thick = side * width, min(width, height) * rng.uniform(0.012, 0.03)
        lean = rng.uniform(-0.02, 0.02) * width
        foot = [(x - thick * 2, height), (x - thick, height * 0.9), (x + lean - thick * 0.6, 0)]
        back = [(x + lean + thick * 0.6, 0), (x + thick, height * 0.9), (x + thick * 2, height)]
        draw.polygon([(2 * left, 2 * top) for left, top in [*foot, *back]], fill=255)
    shade = to_bytes(scale(mix(plan.palette.land, ground_colour(plan), 0.2), 0.62))
    image.paste(shade, (0, 0), mask.reduce(2))


def paint_dunes(image: Image.Image, plan: Plan) -> None:
    rng = plan.chance("dunes")
    width, height = image.size
    for index in range(5):
        nearness = 0.25 + 0.75 * index / 5
        base = height * (plan.horizon + 0.02 + 0.085 * index)
        line = profile(rng, width, bumps=rng.uniform(0.7, 1.7), octaves=2, fall=0.35)
        top = base - height * (0.05 + 0.015 * index) * line
        crest, valley = layer_colours(plan, nearness)
        paint_ridge(
            image, Ridge(top, mix(crest, plan.palette.sun, 0.1), valley), _dune_light(plan, top, height)
        )


def _dune_light(plan: Plan, top: Plane, height: int) -> Surface:
    """Return the light on sand: one side of the crest glows, the other lies in shadow along a soft curve."""
    facing = 1.0 if plan.sun_x < 0.5 else -1.0
    width = len(top)
    slope = np.gradient(top) * facing * 900 / max(width, height)
    rows = np.arange(height, dtype=np.float32)[:, None]
    below = np.clip(rows - top[None, :], 0, None)
    columns = np.clip(np.arange(width)[None, :] - (below * 1.1 * facing).astype(np.int32), 0, width - 1)
    face = np.clip(1 + 0.42 * np.tanh(slope * 2.2), 0.62, 1.3).astype(np.float32)
    fade = np.exp(-below / (0.16 * height))
    return Surface((1 + (face[columns] - 1) * fade).astype(np.float32))
