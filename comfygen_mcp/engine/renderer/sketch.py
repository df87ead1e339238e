"""A small drawing board for silhouettes: 100 x 100 units, flat tones, smooth outlines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from comfygen_mcp.engine.renderer.colour import Rgb, mix, scale, to_bytes

Point: TypeAlias = tuple[float, float]
OVERSAMPLING = 2


@dataclass(frozen=True)
class Tones:
    """The tones of one silhouette; *dark* is also the tone of eyes."""

    body: Rgb
    light: Rgb
    shade: Rgb
    dark: Rgb
    accent: Rgb


def tones_of(body: Rgb, light: Rgb, accent: Rgb, cast: Rgb, brightness: float) -> Tones:
    """Return the tones as they look in light of the colour *cast*."""

    def seen(colour: Rgb) -> Rgb:
        return scale(mix(colour, cast, 0.22), brightness)

    return Tones(seen(body), seen(light), seen(scale(body, 0.72)), seen((0.09, 0.08, 0.1)), seen(accent))


class Sketch:
    def __init__(self, size: int) -> None:
        self._scale = size * OVERSAMPLING / 100
        side = int(size * OVERSAMPLING)
        self._image = Image.new("RGBA", (side, side))
        self._draw = ImageDraw.Draw(self._image)
        self._size = size

    def finished(self, *, mirrored: bool) -> Image.Image:
        # Premultiplied, so that no dark rim appears where the edge is averaged.
        image = self._image.convert("RGBa").resize((self._size, self._size), Image.Resampling.BOX)
        image = image.convert("RGBA")
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image

    def blob(self, points: Sequence[Point], colour: Rgb) -> None:
        """Fill the smooth closed curve through *points*."""
        self._draw.polygon(self._placed(smooth(points)), fill=to_bytes(colour))

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        self._draw.polygon(self._placed(points), fill=to_bytes(colour))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Rgb) -> None:
        corners = self._placed([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse([*corners[0], *corners[1]], fill=to_bytes(colour))

    def box(self, x: float, y: float, wide: float, tall: float, colour: Rgb, *, round_by: float = 0) -> None:
        corners = self._placed([(x, y), (x + wide, y + tall)])
        self._draw.rounded_rectangle(
            [*corners[0], *corners[1]], round_by * self._scale, fill=to_bytes(colour)
        )

    def line(self, points: Sequence[Point], colour: Rgb, width: float) -> None:
        pixels = max(1, round(width * self._scale))
        self._draw.line(self._placed(points), fill=to_bytes(colour), width=pixels, joint="curve")

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]


def smooth(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Return a closed Catmull-Rom curve through *points*."""
    knots = np.array(points, np.float64)
    before, after, far = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    curve: list[Point] = []
    for p0, p1, p2, p3 in zip(before, knots, after, far, strict=True):
        for t in np.arange(steps) / steps:
            point = 0.5 * (
                2 * p1
                + (p2 - p0) * t
                + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                + (3 * p1 - p0 - 3 * p2 + p3) * t**3
            )
            curve.append((float(point[0]), float(point[1])))
    return curve


def mirrored(points: Sequence[Point]) -> list[Point]:
    return [(100 - x, y) for x, y in points]
