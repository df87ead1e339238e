"""Turns a video latent's description into a film: layers painted once and moved, frame by frame."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from PIL import Image

from comfygen_mcp.engine.film import Film, Picture
from comfygen_mcp.engine.renderer.decode import EMPTY, noisy
from comfygen_mcp.engine.renderer.label import label_bar
from comfygen_mcp.engine.renderer.moving_picture import MovingPicture
from comfygen_mcp.engine.renderer.moving_scene import MovingScene
from comfygen_mcp.engine.renderer.plan import plan_of
from comfygen_mcp.engine.values import Latent, Lora, Painting

MAX_PAINTED_PIXELS = 640_000
"""Larger frames are painted at about this size and enlarged."""
RATE = 16
"""Frames per second at which the motion is natural; the real rate is not known before the video is made."""
NOISE_SEEN = 0.15
"""Only noise that was left on purpose is shown: the trace that few steps leave would flicker."""


class Moving(Protocol):
    def at(self, share: float, seconds: float) -> Image.Image: ...


def decode_video(latent: Latent) -> Film:
    """Return the frames of a video latent, of all its videos in turn, labelled as pictures are."""
    painting = _as_one(latent.paintings)
    film = _Painter(latent, painting)
    return Film(latent.width, latent.height, latent.count * latent.frames, film.frame)


class _Painter:
    def __init__(self, latent: Latent, painting: Painting | None) -> None:
        self._latent = latent
        self._painting = painting
        self._bar = lru_cache(maxsize=1)(self._bar_of)
        shrink = min(1.0, math.sqrt(MAX_PAINTED_PIXELS / (latent.width * latent.height)))
        self._size = max(8, round(latent.width * shrink)), max(8, round(latent.height * shrink))
        # A video is looked at from its start to its end, so one at a time is enough.
        self._moving = lru_cache(maxsize=1)(self._made)

    def frame(self, index: int) -> Picture:
        number, at = divmod(index, self._latent.frames)
        image = self._moving(number).at(at / max(1, self._latent.frames - 1), at / RATE)
        painting = self._painting
        if painting and painting.leftover >= NOISE_SEEN:
            image = noisy(image, painting, number)
        size = (self._latent.width, self._latent.height)
        if image.size != size:
            image = image.resize(size, Image.Resampling.BICUBIC)
        # Last of all, so that neither camera nor weather moves it.
        if bar := self._bar(number):
            image.paste(bar, (0, size[1] - bar.height))
        return np.asarray(image)

    def _bar_of(self, number: int) -> Image.Image | None:
        latent = self._latent
        place = number + 1 if latent.count > 1 else None
        return self._painting and label_bar(latent.width, latent.height, self._painting, place)

    def _made(self, number: int) -> Moving:
        start, painting = self._latent.start, self._painting
        if painting is None:
            return _Still(Image.new("RGB", self._size, EMPTY))
        plan = plan_of(painting, number)
        if start is not None:
            return MovingPicture(start[number % len(start)], plan, self._size_of_pictures)
        return MovingScene(plan, self._size)

    @property
    def _size_of_pictures(self) -> tuple[int, int]:
        return self._latent.width, self._latent.height


class _Still:
    """What no sampler has painted does not move."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    def at(self, share: float, seconds: float) -> Image.Image:
        del share, seconds
        return self._image.copy()


def _as_one(paintings: tuple[Painting, ...]) -> Painting | None:
    """Take the passes of a video as one: the first one's scene, by all their models and LoRAs."""
    if not paintings:
        return None
    first, last = paintings[0], paintings[-1]
    models = [painting.guider.model for painting in paintings]
    loras: tuple[Lora, ...] = tuple(dict.fromkeys(lora for model in models for lora in model.loras))
    model = replace(models[0], name="+".join(dict.fromkeys(model.name for model in models)), loras=loras)
    guider = replace(first.guider, model=model)
    steps = sum(painting.steps for painting in paintings)
    return replace(first, guider=guider, steps=steps, leftover=last.leftover)
