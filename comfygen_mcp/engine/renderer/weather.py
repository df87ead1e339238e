"""What hangs in the air: snow, rain, fog, petals, leaves, fireflies."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from comfygen_mcp.engine.renderer.colour import NAMED, Rgb, mix, to_bytes
from comfygen_mcp.engine.renderer.fields import cloud_field, smoothstep
from comfygen_mcp.engine.renderer.plan import SKYLESS, Plan

FLAKES = ((240, 0.0016, 170, 0.0), (90, 0.0032, 215, 0.0008), (16, 0.011, 120, 0.004))
"""Three depths of snow: how many, how large, how white and how blurred, as shares of the smaller side."""
SCRAPS: dict[str, tuple[Rgb, ...]] = {
    "petals": ((1.0, 0.76, 0.84), (1.0, 0.88, 0.92), (0.96, 0.6, 0.74)),
    "leaves": (NAMED["orange"], (0.8, 0.25, 0.12), NAMED["amber"]),
}


def paint_weather(image: Image.Image, plan: Plan) -> None:
    if plan.place in SKYLESS:
        return
    for kind, paint in KINDS.items():
        if kind in plan.weather:
            paint(image, plan)


def paint_fog(image: Image.Image, plan: Plan) -> None:
    width, height = image.size
    small = (max(8, width // 4), max(8, height // 4))
    field = cloud_field(plan.chance("fog"), *small, cells=2.5, stretch=5, octaves=4)
    y = np.linspace(0, 1, small[1], dtype=np.float32)[:, None]
    band = np.exp(-(((y - plan.horizon - 0.06) / 0.2) ** 2))
    amount = smoothstep(-1.0, 1.0, field) * (0.25 + 0.6 * band)
    mask = Image.fromarray((np.clip(amount, 0, 0.85) * 255).astype(np.uint8))
    mask = mask.resize((width, height), Image.Resampling.BICUBIC)
    image.paste(to_bytes(mix(plan.palette.horizon, plan.palette.middle, 0.3)), (0, 0), mask)


def slant_of_rain(plan: Plan) -> float:
    """Return how far a drop goes sideways for each height that it falls."""
    return float(plan.chance("rain").uniform(-0.22, 0.22))


def paint_rain(image: Image.Image, plan: Plan) -> None:
    rng = plan.chance("rain")
    width, height = image.size
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    slant = rng.uniform(-0.22, 0.22)
    for x, y, near in rng.random((_fitting(420, height), 3)):
        length = height * (0.018 + 0.055 * near**2)
        left, top = (x * 1.3 - 0.15) * width, (y * 1.1 - 0.1) * height
        thick = max(1, round(height / 520 * near))
        draw.line([(left, top), (left + slant * length, top + length)], fill=int(30 + 90 * near), width=thick)
    image.paste(to_bytes(mix(plan.palette.horizon, (1, 1, 1), 0.5)), (0, 0), layer)


def paint_flakes(image: Image.Image, plan: Plan, depth: int) -> None:
    """Let the snow of one depth fall; the nearest is large and out of focus."""
    count, size, level, blur = FLAKES[depth]
    unit = min(image.size)
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    for x, y, grow in plan.chance(f"flakes {depth}").random((_fitting(count, unit), 3)):
        radius = max(0.55, unit * size * (0.6 + grow))
        left, top = x * image.width, y * image.height
        draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=level)
    if blur and unit > 160:
        layer = layer.filter(ImageFilter.BoxBlur(unit * blur))
    image.paste((255, 255, 255), (0, 0), layer)


def paint_scraps(image: Image.Image, plan: Plan, shades: tuple[Rgb, ...]) -> None:
    rng = plan.chance("scraps")
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    for x, y, grow, angle, pick in rng.random((_fitting(90, unit), 5)):
        reach = unit * (0.004 + 0.011 * grow**2)
        turn = angle * 6.28
        along = np.array((np.cos(turn), np.sin(turn))) * reach
        beside = np.array((-along[1], along[0])) * 0.45
        middle = np.array((x * image.width, y * image.height))
        corners = [tuple(middle + side) for side in (along, beside, -along, -beside)]
        shade = mix(shades[int(pick * len(shades))], plan.palette.horizon, 0.25 * (1 - grow))
        draw.polygon([(float(a), float(b)) for a, b in corners], fill=to_bytes(shade))


def _fitting(count: int, unit: int) -> int:
    """Return fewer for small pictures, where a particle cannot be smaller than a pixel."""
    return max(4, int(count * min(1.0, unit / 320)))


def paint_fireflies(image: Image.Image, plan: Plan) -> None:
    rng = plan.chance("fireflies")
    unit = min(image.size)
    layer = Image.new("L", image.size)
    draw = ImageDraw.Draw(layer)
    spots = [
        (x * image.width, (0.42 + 0.55 * y) * image.height, 0.5 + grow) for x, y, grow in rng.random((46, 3))
    ]
    for x, y, grow in spots:
        radius = unit * 0.009 * grow
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=190)
    layer = layer.filter(ImageFilter.BoxBlur(unit * 0.007))
    for x, y, grow in spots:
        radius = max(0.6, unit * 0.0022 * grow)
        ImageDraw.Draw(layer).ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    image.paste((255, 236, 150), (0, 0), layer)


def _paint_snow(image: Image.Image, plan: Plan) -> None:
    for depth in range(len(FLAKES)):
        paint_flakes(image, plan, depth)


KINDS: dict[str, Callable[[Image.Image, Plan], None]] = {
    "fog": paint_fog,
    "rain": paint_rain,
    "snow": _paint_snow,
    "petals": lambda image, plan: paint_scraps(image, plan, SCRAPS["petals"]),
    "leaves": lambda image, plan: paint_scraps(image, plan, SCRAPS["leaves"]),
    "fireflies": paint_fireflies,
}
"""What is painted for each kind of weather, in this order."""
