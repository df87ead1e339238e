"""Colour profiles: a picture's own colours become sRGB, which is all that models know."""

import io
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from PIL.Image import Image

_READ = ("RGB", "RGBA", "CMYK", "L")
"""Modes whose channels a profile describes; palettes and transparency are brought into one of them."""


def in_srgb(image: "Image") -> "tuple[Image, tuple[str, ...]]":
    """Return *image* in sRGB, with a note where that changed its colours.

    Without a profile, or with one that is damaged or for other channels, it is as it was.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return image, ()
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(own).casefold():
            return image, ()
        converted = _converted(_with_plain_channels(image), own)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, ()
    if converted is None:
        return image, ()
    return converted, ("Its colours were converted from its own colour profile to sRGB.",)


def _with_plain_channels(image: "Image") -> "Image":
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def _converted(image: "Image", profile: object) -> "Image | None":
    from PIL import ImageCms

    if image.mode not in _READ:
        return None
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    cms = cast("Any", ImageCms)
    made: Image = cms.profileToProfile(colours, profile, cms.createProfile("sRGB"), outputMode="RGB")
    if alpha is not None:
        made.putalpha(alpha)
    return made
