"""Composes a scene: sky, land or water by its place, the subject, the weather, the style."""

from collections.abc import Callable
from typing import TypeAlias

from PIL import Image, ImageDraw

from comfygen_mcp.engine.renderer.city import paint_city
from comfygen_mcp.engine.renderer.colour import NAMED, mix, scale, to_bytes
from comfygen_mcp.engine.renderer.elsewhere import paint_space, paint_underwater
from comfygen_mcp.engine.renderer.land import (
    ground_colour,
    paint_dunes,
    paint_forest,
    paint_hills,
    paint_meadow,
    paint_mountains,
)
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.sky import paint_sky
from comfygen_mcp.engine.renderer.subject import needs_ground, paint_subject
from comfygen_mcp.engine.renderer.table import paint_table
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.water import paint_water, paint_waves
from comfygen_mcp.engine.renderer.weather import paint_weather

Place: TypeAlias = Callable[[Image.Image, Plan], None]


def paint_scene(plan: Plan, width: int, height: int) -> Image.Image:
    image = paint_surroundings(plan, width, height)
    if plan.subject:
        paint_subject(image, plan)
    paint_weather(image, plan)
    return treated(image, plan)


def paint_surroundings(plan: Plan, width: int, height: int) -> Image.Image:
    """Paint the place, with ground for the subject to stand on, but not the subject."""
    if plan.place == "space":
        return paint_space(plan, width, height)
    if plan.place == "underwater":
        return paint_underwater(plan, width, height)
    if plan.place == "table":
        return paint_table(plan, width, height)
    image = paint_sky(plan, width, height)
    paint_land(image, plan)
    return image


def paint_land(image: Image.Image, plan: Plan) -> None:
    """Paint what lies below the sky that *image* holds."""
    PLACES[plan.place](image, plan)
    if plan.subject and plan.place in WATER and needs_ground(plan.subject):
        paint_hills(image, plan, start=SHORE, count=1)


def water_level(plan: Plan) -> float | None:
    """Return the share of the height at which water begins; None where there is none."""
    return WATER[plan.place](plan.horizon) if plan.place in WATER else None


def _sea(image: Image.Image, plan: Plan) -> None:
    level = WATER["sea"](plan.horizon)
    paint_water(image, plan, level=level, rough=1.0)
    paint_waves(image, plan, level=level + 0.04)


def _lake(image: Image.Image, plan: Plan) -> None:
    paint_mountains(image, plan)
    paint_water(image, plan, level=WATER["lake"](plan.horizon), rough=0.35)
    paint_hills(image, plan, start=0.95, count=1)


def _city(image: Image.Image, plan: Plan) -> None:
    level = WATER["city"](plan.horizon)
    paint_city(image, plan, ground=level + 0.01)
    paint_water(image, plan, level=level, rough=0.6 if "rain" in plan.weather else 0.45)


def _meadow(image: Image.Image, plan: Plan) -> None:
    paint_meadow(image, plan)
    _draw_blossoms(image, plan)


def _draw_blossoms(image: Image.Image, plan: Plan) -> None:
    """Scatter blossoms over the near hills, larger towards the bottom."""
    rng = plan.chance("blossoms")
    width, height = image.size
    draw = ImageDraw.Draw(image)
    grass = to_bytes(scale(mix(ground_colour(plan), plan.palette.land, 0.3), 0.85))
    shades = [*plan.accents, NAMED["yellow"], (0.96, 0.95, 0.9), NAMED["pink"]]
    bright = 0.45 + 0.55 * plan.palette.light
    for x, near, pick in sorted(rng.random((260, 3)).tolist(), key=lambda spot: spot[1]):
        y = height * (plan.horizon + 0.14 + (0.86 - plan.horizon) * near)
        size = max(0.6, min(width, height) * (0.001 + 0.0055 * near**2))
        left = x * width
        draw.line([(left, y), (left, y + size * 3)], fill=grass, width=max(1, int(size * 0.5)))
        shade = to_bytes(scale(shades[int(pick * len(shades))], bright))
        draw.ellipse([left - size, y - size, left + size, y + size], fill=shade)


SHORE = 0.87
"""Where the ground begins on which a subject stands at the water."""
WATER: dict[str, Callable[[float], float]] = {
    "sea": lambda horizon: horizon - 0.02,
    "lake": lambda horizon: min(0.8, horizon + 0.13),
    "city": lambda horizon: min(0.8, horizon + 0.14),
}
PLACES: dict[str, Place] = {
    "mountain": paint_mountains,
    "forest": paint_forest,
    "desert": paint_dunes,
    "meadow": _meadow,
    "lake": _lake,
    "sea": _sea,
    "city": _city,
}
