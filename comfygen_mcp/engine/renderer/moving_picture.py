"""Image to video: it begins with the picture itself, then the camera, the light and the weather move."""

import math

import numpy as np
from PIL import Image, ImageOps

from comfygen_mcp.engine.renderer.camera import DIRECTIONS, camera_of
from comfygen_mcp.engine.renderer.edit import relit
from comfygen_mcp.engine.renderer.fields import ease
from comfygen_mcp.engine.renderer.moving_weather import MovingWeather
from comfygen_mcp.engine.renderer.old_label import old_bar
from comfygen_mcp.engine.renderer.over import from_floats
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.values import Pictures

NEARER, LEAST_NEARER = 0.2, 0.1
"""How far the camera goes in, as a share of the picture, by the end."""
SETS_IN_S = 1.2
LOW = 0.95
VERTICAL = {word for word, (_, down) in DIRECTIONS.items() if down}


class MovingPicture:
    def __init__(self, start: Pictures, plan: Plan, size: tuple[int, int]) -> None:
        picture = Image.fromarray(start)
        fitted = picture if picture.size == size else ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        self._picture = _without_bar(fitted)
        self._plan = plan
        self._changed = self._as_told()
        self._weather = MovingWeather(plan, size)
        self._camera = camera_of(plan)

    def at(self, share: float, seconds: float) -> Image.Image:
        """Return the frame after that *share* of the video; at 0 it is the picture."""
        if share <= 0:
            return self._picture.copy()
        image = self._picture
        if self._changed is not None:
            image = Image.blend(image, self._changed, 0.9 * ease(share * 1.25))
        image = self._seen(image, share)
        level = 1 + 0.05 * math.sin(1.4 * seconds) * ease(seconds / SETS_IN_S)
        image = from_floats(np.asarray(image, np.float32) * level)
        self._weather.fall(image, seconds, ease(seconds / SETS_IN_S))
        return image

    def _as_told(self) -> Image.Image | None:
        """Return what the picture turns into, where the words say so: another hour, another style."""
        plan = self._plan
        if not ("time" in plan.named or plan.tones or plan.styles):
            return None
        return treated(relit(self._picture, plan), plan)

    def _seen(self, image: Image.Image, share: float) -> Image.Image:
        """Go nearer, towards where the camera ends."""
        width, height = image.size
        x, y, near = self._camera.end
        # It sets off from rest, so that the first frames are the picture.
        scale = 1 - (LEAST_NEARER + (NEARER - LEAST_NEARER) * near) * share * ease(0.35 + share)
        left = width * (1 - scale) * (0.5 + 0.5 * x)
        # The ground stays where it is unless the words say otherwise: feet would sink under the label.
        room = 0.5 + 0.5 * y if VERTICAL & set(self._plan.words) else LOW
        top = height * (1 - scale) * room
        box = (left, top, left + scale * width, top + scale * height)
        return image.resize(image.size, Image.Resampling.BICUBIC, box)


def _without_bar(picture: Image.Image) -> Image.Image:
    """Let what stands above the bar of an earlier preview go on below, so that no camera moves the bar."""
    pixels = np.asarray(picture)
    bar = old_bar(pixels)
    if not 0 < bar < picture.height / 3:
        return picture
    return Image.fromarray(np.pad(pixels[:-bar], ((0, bar), (0, 0), (0, 0)), "symmetric"))
