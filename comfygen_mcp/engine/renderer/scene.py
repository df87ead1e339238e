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
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.water import paint_water, paint_waves
from comfygen_mcp.engine.renderer.weather import paint_weather

Place: TypeAlias = Callable[[Image.Image, Plan], None]


def paint_scene(plan: Plan, width: int, height: int) -> Image.Image:
    if plan.place == "space":
        image = paint_space(plan, width, height)
    elif plan.place == "underwater":
        image = paint_underwater(plan, width, height)
    else:
        image = paint_sky(plan, width, height)
        PLACES[plan.place](image, plan)
    if plan.subject:
        if plan.place in {"sea", "lake", "city"} and needs_ground(plan.subject):
            paint_hills(image, plan, start=0.87, count=1)
        paint_subject(image, plan)
    paint_weather(image, plan)
    return treated(image, plan)


def _sea(image: Image.Image, plan: Plan) -> None:
    level = plan.horizon - 0.02
    paint_water(image, plan, level=level, rough=1.0)
    paint_waves(image, plan, level=level + 0.04)


def _lake(image: Image.Image, plan: Plan) -> None:
    paint_mountains(image, plan)
    paint_water(image, plan, level=min(0.8, plan.horizon + 0.13), rough=0.35)
    paint_hills(image, plan, start=0.95, count=1)


def _city(image: Image.Image, plan: Plan) -> None:
    level = min(0.8, plan.horizon + 0.14)
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


PLACES: dict[str, Place] = {
    "mountain": paint_mountains,
    "forest": paint_forest,
    "desert": paint_dunes,
    "meadow": _meadow,
    "lake": _lake,
    "sea": _sea,
    "city": _city,
}
