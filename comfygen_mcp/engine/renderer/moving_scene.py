"""Text to video: the scene of a prompt in layers that move apart, seen by a drifting camera."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from comfygen_mcp.engine.renderer.camera import MARGIN, camera_of, framed
from comfygen_mcp.engine.renderer.layers import layer_of
from comfygen_mcp.engine.renderer.moving_sky import MovingSky
from comfygen_mcp.engine.renderer.moving_subject import MovingSubject
from comfygen_mcp.engine.renderer.moving_weather import MovingWeather
from comfygen_mcp.engine.renderer.plan import SKYLESS, Plan
from comfygen_mcp.engine.renderer.scene import SHORE, paint_land, paint_surroundings, water_level
from comfygen_mcp.engine.renderer.treatment import treated

PARALLAX = 0.35
"""How much more than its surroundings the subject moves when the camera does."""


class MovingScene:
    """Paints frame after frame; what costs time is done once."""

    def __init__(self, plan: Plan, size: tuple[int, int]) -> None:
        self._plan = plan
        self._size = size
        large = (round(size[0] * (1 + MARGIN)), round(size[1] * (1 + MARGIN)))
        still = paint_surroundings(plan, *large)
        self._land = np.asarray(still)
        has_sky = plan.place not in SKYLESS
        self._sky = MovingSky(plan, large) if has_sky else None
        self._cover = _cover(plan, large) if has_sky else None
        self._water = _water_rows(plan, large[1])
        self._subject = MovingSubject(plan, large) if plan.subject else None
        self._weather = MovingWeather(plan, size)
        self._camera = camera_of(plan)

    def at(self, share: float, seconds: float) -> Image.Image:
        """Return the frame after that *share* of the video."""
        image = Image.fromarray(self._rippled(seconds))
        if self._sky and self._cover:
            image = Image.composite(image, self._sky.at(seconds), self._cover)
        seen = self._camera.seen(share)
        if self._subject:
            lead = -PARALLAX * seen[0] * MARGIN * self._size[0] / 2
            self._subject.stand(image, seconds, lead)
        frame = framed(image, self._size, seen)
        self._weather.fall(frame, seconds)
        return treated(frame, self._plan)

    def _rippled(self, seconds: float) -> NDArray[np.uint8]:
        """Shift the rows of the water against each other, more of them nearer."""
        first, last = self._water
        if first >= last:
            return self._land
        rows = np.arange(first, last, dtype=np.int32)
        near = (rows - first) / max(1, self._land.shape[0] - first)
        reach = self._land.shape[1] * (0.0012 + 0.004 * near)
        swing = reach * np.sin(2.1 * seconds + rows * 0.35 / (0.25 + near))
        lift = 1.6 * np.sin(1.5 * seconds + rows * 0.21)
        columns: NDArray[np.int64] = (
            np.arange(self._land.shape[1], dtype=np.int32)[None, :] + swing.round().astype(np.int32)[:, None]
        )
        source = (rows + lift.round().astype(np.int32)).clip(first, last - 1)[:, None]
        rippled = self._land.copy()
        rippled[first:last] = self._land[source, columns % self._land.shape[1]]
        return rippled


def _cover(plan: Plan, size: tuple[int, int]) -> Image.Image:
    """Return where the land hides the sky; water does so although it mirrors the sky."""
    cover = layer_of(lambda image: paint_land(image, plan), size).getchannel("A")
    level = water_level(plan)
    if level is not None:
        cover.paste(255, (0, int(level * size[1]), *size))
    return cover


def _water_rows(plan: Plan, height: int) -> tuple[int, int]:
    """Return the rows that ripple; in the deep sea all of them, and none that a shore covers."""
    if plan.place == "underwater":
        return 0, height
    level = water_level(plan)
    if level is None:
        return 0, 0
    shore = plan.subject or plan.place == "lake"
    return int(level * height), math.floor(height * (SHORE - 0.03)) if shore else height
