"""Nodes that read and write image files."""

import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from comfygen_mcp.engine.folders import Folders
from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.masks import as_pictures
from comfygen_mcp.engine.nodes.saving import HIDDEN, HIDDEN_V3, PREFIX_TOOLTIP, save_pictures
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, files, link, slots, text
from comfygen_mcp.engine.task import NodeFailure, Shown, Task
from comfygen_mcp.engine.values import Frames, Masks, Pictures

if TYPE_CHECKING:
    from PIL import Image

# ComfyUI also gives the previews of one run of the server five letters of their own.
TEMP_PREFIX = "ComfyUI_temp_" + "".join(secrets.choice("abcdefghijklmnopqrstupvxyz") for _ in range(5))
ONE_BY_ONE = frozenset({"images"})


def save(task: Task, *, images: Frames, filename_prefix: str = "ComfyUI") -> Shown:
    return Shown((images,), save_pictures(task, images, "output", filename_prefix))


def preview(task: Task, *, images: Frames) -> Shown:
    return Shown((images,), save_pictures(task, images, "temp", TEMP_PREFIX))


def preview_mask(task: Task, *, mask: Masks) -> Shown:
    shown = save_pictures(task, as_pictures(mask), "temp", TEMP_PREFIX)
    return Shown((mask,), {**shown, "animated": [False]})


def load(task: Task, *, image: str) -> tuple[Pictures, Masks]:
    opened = _opened(task.folders, image)
    pictures = np.asarray(opened.convert("RGB"))[None]
    if "A" not in opened.getbands() and "transparency" not in opened.info:
        return pictures, np.zeros((1, 64, 64), np.float32)
    alpha = np.asarray(opened.convert("RGBA").getchannel("A"), np.float32)
    return pictures, (1 - alpha / 255)[None]


def load_mask(task: Task, *, image: str, channel: str) -> tuple[Masks]:
    opened = _opened(task.folders, image).convert("RGBA")
    values = np.asarray(opened.getchannel(channel[0].upper()), np.float32)[None] / 255
    return (1 - values if channel == "alpha" else values,)


def content_hash(folders: Folders, inputs: dict[str, Any]) -> str:
    path = folders.input_image(str(inputs.get("image")))
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
    except OSError:  # it went meanwhile: loading it will say so
        return ""


def _opened(folders: Folders, name: str) -> "Image.Image":
    path = folders.input_image(name)
    if path is None:
        raise NodeFailure(f"[Errno 2] No such file or directory: {name!r}", "FileNotFoundError")
    return _decoded(path)


def _decoded(path: Path) -> "Image.Image":
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            check_pixels(opened.width, opened.height, 1)
            turned = ImageOps.exif_transpose(opened)
            turned.load()
            return turned
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        message = f"[Errno 1094995529] Invalid data found when processing input: {path.name!r}"
        raise NodeFailure(message, "av.error.InvalidDataError") from error


def _upload() -> Input:
    return files("input", image_upload=True)


NODES = (
    Node(
        "SaveImage",
        "Save Image",
        "image",
        {
            "images": link("IMAGE", "The images to save."),
            "filename_prefix": text("ComfyUI", tooltip=PREFIX_TOOLTIP),
        },
        slots("IMAGE:images"),
        save,
        description="Saves the input images to your ComfyUI output directory.",
        output_node=True,
        hidden=HIDDEN,
        streamed=ONE_BY_ONE,
    ),
    Node(
        "PreviewImage",
        "Preview Image",
        "image",
        {"images": link("IMAGE")},
        slots("IMAGE:images"),
        preview,
        description="Saves the input images to your ComfyUI output directory.",
        output_node=True,
        hidden=HIDDEN,
        streamed=ONE_BY_ONE,
    ),
    Node(
        "MaskPreview",
        "Preview Mask",
        "image/mask",
        {"mask": link("MASK")},
        slots("MASK:mask"),
        preview_mask,
        description="Saves the input images to your ComfyUI output directory.",
        module="comfy_extras.nodes_mask",
        output_node=True,
        hidden=HIDDEN_V3,
    ),
    Node(
        "LoadImage",
        "Load Image",
        "image",
        {"image": _upload()},
        slots("IMAGE", "MASK"),
        load,
        changed=content_hash,
        custom_input="image",
    ),
    Node(
        "LoadImageMask",
        "Load Image (as Mask)",
        "image",
        {"image": _upload(), "channel": choice("alpha", "red", "green", "blue")},
        slots("MASK"),
        load_mask,
        changed=content_hash,
        custom_input="image",
    ),
)
