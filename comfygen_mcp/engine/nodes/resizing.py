"""Pictures and masks brought to another size, as ComfyUI's methods do it."""

from typing import TYPE_CHECKING

import numpy as np

from comfygen_mcp.engine.values import Masks, Pictures

if TYPE_CHECKING:
    from PIL import Image

METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")


def resized(pictures: Pictures, width: int, height: int, method: str) -> Pictures:
    from PIL import Image

    if pictures.shape[1:3] == (height, width):
        return pictures
    resampling = _resampling(method)
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
