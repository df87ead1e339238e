"""Weather that falls and drifts: every kind is painted once, and moved over the frames."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from comfygen_mcp.engine.renderer import weather
from comfygen_mcp.engine.renderer.layers import layer_of
from comfygen_mcp.engine.renderer.plan import SKYLESS, Plan

FALLS = {"rain": 1.5, "petals": 0.09, "leaves": 0.12}
"""Heights per second."""
FLAKES = (0.07, 0.12, 0.22)


@dataclass(frozen=True)
class Drift:
    """One layer and its way: heights per second down and across, how far it sways, how much it pulses."""

    layer: NDArray[np.uint8]
    down: float = 0.0
    across: float = 0.0
    sway: float = 0.0
    pulse: float = 0.0

    def at(self, seconds: float) -> Image.Image:
        """Return the layer as it is then; what leaves at one edge comes back at the other."""
        height = self.layer.shape[0]
        down = round(self.down * seconds * height)
        swing = self.sway * math.sin(1.7 * seconds + 9 * self.down)
        across = round((self.across * seconds + swing) * height)
        moved = np.roll(self.layer, (down, across), (0, 1))
        if self.pulse:
            moved[..., 3] = moved[..., 3] * (1 - self.pulse * (0.5 + 0.5 * math.sin(2.6 * seconds)))
        return Image.fromarray(moved, "RGBA")


class MovingWeather:
    def __init__(self, plan: Plan, size: tuple[int, int]) -> None:
        self._drifts = tuple(_drifts(plan, size)) if plan.place not in SKYLESS else ()

    def fall(self, image: Image.Image, seconds: float, share: float = 1.0) -> None:
        """Lay the weather over *image*; a *share* below one lets it set in."""
        for drift in self._drifts:
            layer = drift.at(seconds)
            cover = layer.getchannel("A")
            if share < 1:
                cover = cover.point([round(level * share) for level in range(256)])
            image.paste(layer, (0, 0), cover)


def _drifts(plan: Plan, size: tuple[int, int]) -> list[Drift]:
    def painted(paint: Callable[[Image.Image], None]) -> NDArray[np.uint8]:
        return np.asarray(layer_of(paint, size)).copy()

    found: list[Drift] = []
    for kind in sorted(plan.weather & {"fog", *FALLS}):
        layer = painted(lambda image, kind=kind: weather.KINDS[kind](image, plan))
        if kind == "fog":
            found.append(Drift(_without_seam(layer), across=0.03))
        else:
            slant = weather.slant_of_rain(plan) if kind == "rain" else 0.5
            sway = 0.0 if kind == "rain" else 0.02
            found.append(Drift(layer, FALLS[kind], FALLS[kind] * slant, sway))
    if "snow" in plan.weather:
        for depth, speed in enumerate(FLAKES):
            layer = painted(lambda image, depth=depth: weather.paint_flakes(image, plan, depth))
            found.append(Drift(layer, speed, 0.25 * speed, 0.008))
    if "fireflies" in plan.weather:
        layer = painted(lambda image: weather.paint_fireflies(image, plan))
        found.append(Drift(layer, -0.008, 0.01, 0.012, pulse=0.6))
    return found


def _without_seam(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let the right edge go over into the left one, so that the layer can go round."""
    width = layer.shape[1]
    share = np.linspace(0, 1, width // 3, dtype=np.float32)[None, :, None]
    over = width // 3
    joined = layer.astype(np.float32)
    joined[:, -over:] = (1 - share) * joined[:, -over:] + share * joined[:, :over][:, ::-1]
    return joined.astype(np.uint8)
