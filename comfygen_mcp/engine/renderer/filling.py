"""Fills a hole in a picture with the colours around it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.over import from_floats

ALONG_ROWS = 0.8
"""Horizons lie level: what is to the left and right counts most."""
NEAR = 9
"""So many pixels at the edge of the hole are averaged."""


def filled(canvas: Image.Image, mask: Plane) -> Image.Image:
    """Return the canvas with what *mask* covers made of its surroundings."""
    known = mask <= 0.02
    pixels = np.asarray(canvas, np.float32)
    flow = _flow(pixels, known)
    rows = _across(_softened(flow), known)
    new = flow + ALONG_ROWS * (rows - flow)
    return from_floats(np.where(known[..., None], pixels, new))


def _across(pixels: Plane, known: NDArray[np.bool_]) -> Plane:
    """Go over from the last known pixel on the left to the first on the right, in every row."""
    width = known.shape[1]
    x: NDArray[np.int64] = np.arange(width, dtype=np.int64)
    left: NDArray[np.int64] = np.maximum.accumulate(np.where(known, x, -1), axis=1)
    right: NDArray[np.int64] = np.minimum.accumulate(np.where(known, x, width)[:, ::-1], axis=1)[:, ::-1]
    left, right = np.where(left < 0, right, left), np.where(right >= width, left, right)
    left, right = left.clip(0, width - 1), right.clip(0, width - 1)
    way: NDArray[np.float64] = ((x - left) / np.maximum(1, right - left)).clip(0, 1)[..., None]
    share = (way * way * (3 - 2 * way)).astype(np.float32)
    start = np.take_along_axis(pixels, left[..., None], axis=1)
    end = np.take_along_axis(pixels, right[..., None], axis=1)
    return start + share * (end - start)


def _softened(pixels: Plane) -> Plane:
    """Average a little, so that no single pixel becomes a stripe."""
    return np.asarray(from_floats(pixels).filter(ImageFilter.BoxBlur(NEAR // 2)), np.float32)


def _flow(pixels: Plane, known: NDArray[np.bool_]) -> Plane:
    """Let the colours flow in from all sides, from coarse to fine."""
    weight = known.astype(np.float32)[..., None]
    levels = [np.concatenate([pixels * weight, weight], -1)]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_halved(levels[-1]))
    flow = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-3)
    for level in reversed(levels[:-1]):
        flow = level[..., :3] + (1 - level[..., 3:]) * _enlarged(flow, level.shape[1], level.shape[0])
    return flow


def _halved(plane: Plane) -> Plane:
    even = np.pad(plane, ((0, plane.shape[0] % 2), (0, plane.shape[1] % 2), (0, 0)), "edge")
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def _enlarged(plane: Plane, width: int, height: int) -> Plane:
    channels = [Image.fromarray(np.ascontiguousarray(plane[..., c], np.float32)) for c in range(3)]
    large = [np.asarray(channel.resize((width, height), Image.Resampling.BILINEAR)) for channel in channels]
    return np.stack(large, -1)
