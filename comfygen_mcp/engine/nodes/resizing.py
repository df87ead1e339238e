"""Pictures and masks brought to another size, as ComfyUI's methods do it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from comfygen_mcp.engine.film import whole
from comfygen_mcp.engine.nodes.enlarged import Enlarged, enlarged, scaled
from comfygen_mcp.engine.values import Frames, Masks, Pictures

if TYPE_CHECKING:
    from PIL import Image

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
Sizable: TypeAlias = Pictures | Enlarged
"""What can be brought to another size."""


def sizable(frames: Frames, check_interrupt: Callable[[], None]) -> Sizable:
    """Return the frames as an array, unless they are an enlargement, which may be too large for that."""
    return frames if isinstance(frames, Enlarged) else whole(frames, check_interrupt)


def resized(pictures: Sizable, width: int, height: int, method: str) -> Pictures:
    from PIL import Image

    resampling = _resampling(method)
    if isinstance(pictures, Enlarged):
        return scaled(pictures, (width, height), resampling)
    if pictures.shape[1:3] == (height, width):
        return pictures
    images = [Image.fromarray(picture).resize((width, height), resampling) for picture in pictures]
    return np.stack([np.asarray(image) for image in images])


def resized_masks(masks: Masks, width: int, height: int) -> Masks:
    from PIL import Image

    if masks.shape[1:] == (height, width):
        return masks
    planes = [Image.fromarray(mask.astype(np.float32)) for mask in masks]
    return np.stack(
        [np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR)) for plane in planes]
    )


def cut(pictures: Sizable, ratio: float) -> Sizable:
    """Do as `centred` does, also to an enlargement."""
    if isinstance(pictures, Enlarged):
        return enlarged(centred(pictures.pictures, ratio), pictures.factor)
    return centred(pictures, ratio)


def centred(pictures: Pictures, ratio: float) -> Pictures:
    """Cut the largest part of that width to height ratio out of the middle."""
    height, width = pictures.shape[1:3]
    wanted_width = min(width, max(1, round(height * ratio)))
    wanted_height = min(height, max(1, round(width / ratio)))
    left, top = (width - wanted_width) // 2, (height - wanted_height) // 2
    return pictures[:, top : top + wanted_height, left : left + wanted_width]


def covering(pictures: Pictures, width: int, height: int, method: str = "lanczos") -> Pictures:
    """Return the middle of the pictures, as much as fills that size."""
    return resized(centred(pictures, width / height), width, height, method)


def _resampling(method: str) -> "Image.Resampling":
    from PIL import Image

    known = {
        "nearest-exact": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "area": Image.Resampling.BOX,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
    }
    return known[method]
