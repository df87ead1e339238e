"""Edits by instruction: the picture stays what it is, and light, colours, weather, style or more change."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from comfygen_mcp.engine.renderer.colour import Plane, Rgb, luma
from comfygen_mcp.engine.renderer.fields import smoothstep
from comfygen_mcp.engine.renderer.over import from_floats, regraded
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.scene import paint_surroundings
from comfygen_mcp.engine.renderer.subject import paint_subject
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.weather import paint_weather
from comfygen_mcp.engine.renderer.words import ADDING

INSET = 0.24
"""The width of a further reference, as a share of the picture's smaller side."""
VEILS = {"snow": ((236, 241, 248), 0.3), "rain": ((70, 80, 92), 0.3)}
"""The colour of the air in a weather, and how thick it is."""
SEEN = 160
"""The width at which a picture is searched for what stands out."""
LEAST_FOUND = 0.015
MOST_PARTS = 24


def paint_edit(references: Sequence[Image.Image], plan: Plan) -> Image.Image:
    """Return the first picture as the instruction wants it; the others are shown small in its corner."""
    image = relit(references[0], plan)
    adds = plan.subject and not ADDING.isdisjoint(plan.words)
    if "place" in plan.named:
        image = _moved(image, plan)
    if colour := plan.subject_colour or next(iter(plan.accents), None):
        image = _recoloured(image, colour) if not (adds and plan.subject_colour) else image
    if adds:
        paint_subject(image, plan)
    paint_weather(image, plan)
    image = treated(image, plan)
    if not says_something(plan):
        image = regraded(image, plan, 0.45)
    _inset(image, references[1:])
    return image


def relit(image: Image.Image, plan: Plan) -> Image.Image:
    """Return the picture in the light of the hour named, and in the tones named."""
    if "time" in plan.named:
        pixels = np.asarray(image, np.float32) * (0.62 + 0.38 * plan.palette.light)
        image = regraded(from_floats(pixels), plan, 0.45)
    for tone in sorted(plan.tones):
        image = _toned(image, tone)
    for kind in sorted(plan.weather & VEILS.keys()):
        image = _veiled(image, *VEILS[kind])
    return image


def says_something(plan: Plan) -> bool:
    """Whether the instruction holds a word that changes a picture here."""
    adds = plan.subject and not ADDING.isdisjoint(plan.words)
    return bool(plan.named or plan.tones or plan.weather or plan.styles or plan.accents or adds)


def _veiled(image: Image.Image, colour: tuple[int, int, int], share: float) -> Image.Image:
    """Lay a thin veil over the picture, thicker towards the ground."""
    down = np.linspace(0.5, 1, image.height, dtype=np.float32)[:, None, None]
    pixels = np.asarray(image, np.float32)
    return from_floats(pixels + share * down * (np.array(colour, np.float32) - pixels))


def _toned(image: Image.Image, tone: str) -> Image.Image:
    match tone:
        case "brighter" | "darker":
            return ImageEnhance.Brightness(image).enhance(1.3 if tone == "brighter" else 0.62)
        case "vivid" | "muted":
            return ImageEnhance.Color(image).enhance(1.7 if tone == "vivid" else 0.4)
        case "warm" | "cold":
            gain = np.array((1.12, 1.02, 0.82) if tone == "warm" else (0.84, 0.98, 1.16), np.float32)
            return from_floats(np.asarray(image, np.float32) * gain)
        case _:
            return image.filter(ImageFilter.GaussianBlur(min(image.size) / 90))


def _recoloured(image: Image.Image, colour: Rgb) -> Image.Image:
    """Give *colour* to what stands out."""
    pixels = np.asarray(image, np.float32) / 255
    share = (0.1 + 0.78 * standing_out(image))[..., None]
    light = pixels @ np.array((0.299, 0.587, 0.114), np.float32)
    level = 0.7 * light + 0.3 * luma(colour)
    wanted = (level / max(0.08, luma(colour)))[..., None] * np.array(colour, np.float32)
    return from_floats(255 * (pixels + share * (wanted.clip(0, 1) - pixels)))


def _moved(image: Image.Image, plan: Plan) -> Image.Image:
    """Let what stands out stay, and the place named appear around it."""
    place = paint_surroundings(plan, *image.size)
    kept = (255 * standing_out(image)).astype(np.uint8)
    return Image.composite(image, place, Image.fromarray(kept))


def standing_out(image: Image.Image) -> Plane:
    """Return 1 where a picture differs from what its left and right edges show in the same row.

    What is so found is mostly the subject. The middle of the picture, where hardly anything is found.
    """
    size = (SEEN, max(8, round(SEEN * image.height / image.width)))
    small = np.asarray(image.resize(size, Image.Resampling.BOX), np.float32) / 255
    edges = [np.median(small[:, part], axis=1, keepdims=True) for part in (slice(0, 6), slice(-6, None))]
    away = np.min([np.abs(small - edge).max(-1) for edge in edges], axis=0)
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
    middle = np.clip(1.25 - np.sqrt(x**2 + 0.7 * y**2), 0, 1)
    found = smoothstep(0.16, 0.3, away * (0.55 + 0.6 * middle))
    if found.mean() < LEAST_FOUND:
        found = smoothstep(0.25, 0.7, middle)
    mask = Image.fromarray((found * 255).astype(np.uint8)).filter(ImageFilter.MedianFilter(3))
    mask = _main_parts(_thick(mask.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))))
    mask = mask.filter(ImageFilter.GaussianBlur(0.8)).resize(image.size, Image.Resampling.BICUBIC)
    return np.asarray(mask, np.float32) / 255


def _thick(mask: Image.Image) -> Image.Image:
    """Leave out thin streaks, which are a horizon or a ridge that the edges show at another height."""
    thick = mask.filter(ImageFilter.MinFilter(5)).filter(ImageFilter.MaxFilter(9))
    return ImageChops.darker(mask, thick) if thick.getbbox() else mask


def _main_parts(mask: Image.Image) -> Image.Image:
    """Keep the largest connected part of a mask, and others that are not much smaller."""
    levels = np.asarray(mask)
    labels = Image.fromarray((levels > 127).astype(np.int32), "I")
    sizes: dict[int, int] = {}
    for label in range(2, 2 + MOST_PARTS):
        left = np.argwhere(np.asarray(labels) == 1)
        if not len(left):
            break
        ImageDraw.floodfill(labels, (int(left[0][1]), int(left[0][0])), label)
        sizes[label] = int((np.asarray(labels) == label).sum())
    largest = max(sizes.values(), default=0)
    kept = [label for label, size in sizes.items() if size >= largest / 3]
    return Image.fromarray(np.where(np.isin(np.asarray(labels), kept), levels, 0).astype(np.uint8))


def _inset(image: Image.Image, others: Sequence[Image.Image]) -> None:
    """Show further references as framed thumbnails along the upper right corner."""
    wide = round(min(image.size) * INSET)
    gap = max(2, wide // 12)
    right = image.width - gap
    for other in others:
        tile = other.copy()
        tile.thumbnail((wide, wide))
        left = right - tile.width
        frame = (left - 2, gap - 2, right + 1, gap + tile.height + 1)
        ImageDraw.Draw(image).rectangle(frame, fill=(245, 245, 245))
        image.paste(tile, (left, gap))
        right = left - gap
