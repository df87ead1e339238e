"""Pictures of an upscale model, and what is done when they are too large to be held."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from comfygen_mcp.engine.film import Film, Picture
from comfygen_mcp.engine.nodes.limits import MAX_PIXELS, too_much
from comfygen_mcp.engine.values import Pictures

if TYPE_CHECKING:
    from PIL import Image

RADIUS = 1.4
"""How far sharpening reaches, in pixels of the model's own size."""
MEGAPIXEL = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Enlarged(Film):
    """A film whose frames are too large or too many: nodes that scale it work on its *source*."""

    source: Pictures
    factor: int

    @property
    def pictures(self) -> Pictures:
        """The pictures that are to be enlarged, of this part of the batch."""
        return self.source[self.first : self.first + self.count]

    def check(self) -> None:
        if self.count * self.width * self.height > MAX_PIXELS:
            raise _too_large(self.count, (self.width, self.height), self.factor)


def enlarged(source: Pictures, factor: int) -> Enlarged:
    count, height, width = source.shape[:3]
    size = width * factor, height * factor

    def painted(index: int) -> Picture:
        if size[0] * size[1] > MAX_PIXELS:
            raise _too_large(1, size, factor)
        return enlarge_picture(source[index], size)

    return Enlarged(*size, count, painted, source=source, factor=factor)


def enlarge_picture(picture: Picture, size: tuple[int, int], share: float = 1.0) -> Picture:
    """Return the picture as an upscale model makes it; *size* is that *share* of the model's own size."""
    from PIL import Image, ImageFilter

    sharper = ImageFilter.UnsharpMask(radius=RADIUS * share, percent=55, threshold=2)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS).filter(sharper))


def scaled(large: Enlarged, size: tuple[int, int], resampling: "Image.Resampling") -> Pictures:
    """Return the pictures at a *size* that can be held, without ever being larger."""
    from PIL import Image

    if size[0] <= large.width // large.factor:
        images = [Image.fromarray(picture).resize(size, resampling) for picture in large.pictures]
        return np.stack([np.asarray(image) for image in images])
    share = size[0] / large.width
    return np.stack([enlarge_picture(picture, size, share) for picture in large.pictures])


def _too_large(count: int, size: tuple[int, int], factor: int) -> Exception:
    most = 0.99 * MAX_PIXELS / count / factor**2 / MEGAPIXEL  # less a little, because sides are rounded
    return too_much(
        f"{count} x {size[0]}x{size[1]} is more than the {MAX_PIXELS} pixels allowed. Scale the picture to "
        f"at most {most:.2f} megapixels (ImageScaleToTotalPixels) before it is enlarged by {factor}, or "
        "put an ImageScale to a smaller size right after it"
    )
