"""Stands the prompt's subject into the scene, in the scene's light."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PIL import Image, ImageDraw, ImageFilter

from comfygen_mcp.engine.renderer import animals, things
from comfygen_mcp.engine.renderer.colour import NAMED, Rgb, mix, scale, to_bytes
from comfygen_mcp.engine.renderer.flowers import draw_flowers, draw_vase
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.sketch import Sketch, Tones, tones_of

Where: TypeAlias = Literal["ground", "far", "sky", "water"]
WHITE: Rgb = (0.95, 0.94, 0.91)


@dataclass(frozen=True)
class Art:
    """How a subject looks: its drawing, its own colours, where it belongs and how large it is."""

    draw: Callable[[Sketch, Tones], None] | None
    body: Rgb
    light: Rgb = WHITE
    accent: Rgb = (0.8, 0.25, 0.2)
    where: Where = "ground"
    size: float = 0.42
    foot: float = 1.0
    """How wide its shadow is, beside that of an animal."""


ART: dict[str, Art] = {
    "fox": Art(animals.fox, (0.88, 0.42, 0.12)),
    "wolf": Art(animals.wolf, (0.5, 0.53, 0.58), (0.86, 0.88, 0.9)),
    "cat": Art(animals.cat, (0.6, 0.5, 0.42), (0.96, 0.91, 0.84)),
    "dog": Art(animals.dog, (0.78, 0.55, 0.3), (0.97, 0.92, 0.84)),
    "rabbit": Art(animals.rabbit, (0.72, 0.62, 0.53)),
    "bear": Art(animals.bear, (0.42, 0.28, 0.19), (0.68, 0.52, 0.38), size=0.46),
    "lion": Art(animals.lion, (0.9, 0.68, 0.36), (0.98, 0.9, 0.74), (0.58, 0.3, 0.13), size=0.46),
    "owl": Art(animals.owl, (0.5, 0.38, 0.28), (0.9, 0.8, 0.66), NAMED["amber"], size=0.36),
    "bird": Art(animals.bird, (0.82, 0.84, 0.87), WHITE, NAMED["orange"], "sky", 0.3),
    "fish": Art(animals.fish, NAMED["orange"], WHITE, (0.95, 0.35, 0.15), "sky", 0.36),
    "whale": Art(animals.whale, (0.22, 0.36, 0.52), (0.78, 0.86, 0.92), where="water", size=0.5),
    "horse": Art(animals.horse, (0.5, 0.3, 0.18), size=0.5),
    "deer": Art(animals.deer, (0.66, 0.45, 0.27), (0.93, 0.86, 0.76), size=0.5),
    "butterfly": Art(animals.butterfly, NAMED["orange"], WHITE, NAMED["amber"], "sky", 0.34),
    "dragon": Art(animals.dragon, (0.2, 0.5, 0.32), (0.85, 0.8, 0.5), NAMED["amber"], size=0.54),
    "tree": Art(things.tree, (0.3, 0.52, 0.22), (0.8, 0.88, 0.5), size=0.52),
    "flower": Art(None, (0.92, 0.36, 0.5), WHITE, NAMED["amber"], size=0.5, foot=0.6),
    "house": Art(things.house, (0.87, 0.78, 0.66), WHITE, (0.65, 0.25, 0.18), size=0.36),
    "castle": Art(things.castle, (0.72, 0.7, 0.68), WHITE, (0.35, 0.35, 0.6), "far", 0.44),
    "ship": Art(things.ship, (0.5, 0.28, 0.16), (0.97, 0.95, 0.9), (0.8, 0.2, 0.18), "water", 0.4),
    "lighthouse": Art(things.lighthouse, (0.82, 0.2, 0.17), WHITE, where="ground", size=0.5),
    "person": Art(things.person, (0.28, 0.34, 0.46), size=0.4),
    "astronaut": Art(things.astronaut, (0.93, 0.94, 0.96), accent=NAMED["blue"], size=0.42),
    "robot": Art(things.robot, (0.66, 0.7, 0.75), accent=NAMED["cyan"], size=0.42),
    "car": Art(things.car, (0.8, 0.2, 0.18), size=0.36),
    "rocket": Art(things.rocket, (0.93, 0.94, 0.96), accent=(0.84, 0.25, 0.2), where="sky", size=0.42),
    "balloon": Art(things.balloon, (0.84, 0.25, 0.2), (0.98, 0.88, 0.6), NAMED["blue"], "sky", 0.38),
    "cup": Art(things.cup, (0.93, 0.9, 0.85), WHITE, size=0.4),
    "cactus": Art(things.cactus, (0.25, 0.5, 0.3), accent=NAMED["pink"], size=0.46),
    "pyramid": Art(things.pyramid, (0.9, 0.72, 0.42), where="far", size=0.6),
    "vase": Art(None, (0.3, 0.5, 0.62), size=0.72, foot=0.5),
    "ball": Art(things.ball, (0.82, 0.2, 0.18), size=0.3, foot=0.8),
}


def needs_ground(subject: str) -> bool:
    return ART[subject].where == "ground" and subject != "lighthouse"


def paint_subject(image: Image.Image, plan: Plan) -> None:
    """Draw the subject where it belongs in a scene."""
    art = ART[plan.subject or ""]
    rng = plan.chance("subject")
    unit = min(image.size)
    size = max(8, int(unit * art.size * rng.uniform(0.92, 1.12)))
    # Opposite the sun, near a third of the width.
    side = 0.5 if plan.place == "table" else 0.66 if plan.sun_x < 0.5 else 0.34
    x = int((side + rng.uniform(-0.05, 0.05)) * image.width - size / 2)
    y = _top(art, plan, image.height, size, float(rng.uniform(-0.5, 0.5)))
    draw_subject(image, plan, size, (x, y))


def draw_subject(image: Image.Image, plan: Plan, size: int, corner: tuple[int, int]) -> None:
    """Draw the subject with its shadow into the square of that size and upper left corner."""
    art = ART[plan.subject or ""]
    sketch = Sketch(size)
    _draw(sketch, plan, art)
    tile = sketch.finished(mirrored=plan.mirrored)
    if not floats(plan):
        _ground(image, plan, art, corner, size)
    if plan.place != "table":
        _shine(image, plan, tile, corner)
    image.paste(tile, corner, tile)


def _draw(sketch: Sketch, plan: Plan, art: Art) -> None:
    tones, bouquet = _tones(art, plan), plan.bouquet
    petals = None
    if bouquet:
        petals = tones_of(bouquet.colour, art.light, NAMED["amber"], plan.palette.horizon, _brightness(plan))
    if art.draw:
        art.draw(sketch, tones)
    elif bouquet and petals and plan.subject == "flower":
        draw_flowers(sketch, petals, bouquet)
    else:
        draw_vase(sketch, tones, bouquet, petals)


def floats(plan: Plan) -> bool:
    """Whether the subject has nothing under it."""
    return ART[plan.subject or ""].where == "sky" or plan.place in {"space", "underwater"}


def _tones(art: Art, plan: Plan) -> Tones:
    body = plan.subject_colour or art.body
    accent = art.accent
    if plan.subject_colour:
        accent = mix(art.accent, plan.subject_colour, 0.25)
    return tones_of(body, art.light, accent, plan.palette.horizon, _brightness(plan))


def _brightness(plan: Plan) -> float:
    return 0.95 if plan.place == "space" else 0.5 + 0.5 * plan.palette.light


def _top(art: Art, plan: Plan, height: int, size: int, chance: float) -> int:
    if plan.place in {"space", "underwater"}:
        return int((0.5 + 0.16 * chance) * height - size / 2)
    if art.where == "sky":
        return int(height * (plan.horizon * 0.5 + 0.12 * chance) - size * 0.5)
    if art.where == "far":
        return int(height * (plan.horizon + 0.16) - size)
    if art.where == "water" and plan.place in {"sea", "lake"}:
        return int(height * (plan.horizon + 0.17) - size)
    return int(height * 0.9 - size)


def _ground(image: Image.Image, plan: Plan, art: Art, corner: tuple[int, int], size: int) -> None:
    """Lay a soft shadow under the subject, or a streak of foam where it floats."""
    left, foot = corner[0], corner[1] + size
    wide, tall = size * art.foot, max(4, int(size * 0.2 * art.foot))
    shadow = Image.new("L", (int(wide * 1.4), tall))
    box = [wide * 0.12, shadow.height * 0.25, wide * 1.28, shadow.height * 0.75]
    ImageDraw.Draw(shadow).ellipse(box, fill=120)
    shadow = shadow.filter(ImageFilter.BoxBlur(max(1, size * 0.03)))
    on_water = art.where == "water" and plan.place in {"sea", "lake"}
    shade = mix(plan.palette.horizon, (1, 1, 1), 0.5) if on_water else scale(plan.palette.land, 0.5)
    image.paste(
        to_bytes(shade), (left + int((size - wide * 1.4) / 2), foot - int(shadow.height * 0.55)), shadow
    )


def _shine(image: Image.Image, plan: Plan, tile: Image.Image, corner: tuple[int, int]) -> None:
    """Let a thin rim of the sky's light stand around the subject, so that it does not sink into the dark."""
    size = tile.width
    reach = max(1, size // 220)
    rim = (
        tile.getchannel("A").filter(ImageFilter.MaxFilter(2 * reach + 1))
        if size < 700
        else tile.getchannel("A")
    )
    rim = rim.filter(ImageFilter.BoxBlur(reach)).point([level // 2 for level in range(256)])
    toward = -1 if plan.sun_x < 0.5 else 1
    image.paste(
        to_bytes(mix(plan.palette.sun, plan.palette.horizon, 0.4)),
        (corner[0] + toward * reach, corner[1] - reach),
        rim,
    )
