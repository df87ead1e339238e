"""Nodes that write moving pictures with Pillow: animated WebP and animated PNG."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.saving import HIDDEN_V3, each, prefix_input, target
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, integer, link, number, slots, switch
from comfygen_mcp.engine.task import Shown, Task
from comfygen_mcp.engine.values import Frames

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

METHODS = {"default": 4, "fastest": 0, "slowest": 6}
MAKE, MODEL = 0x010F, 0x0110
"""The EXIF tags in which ComfyUI keeps a graph: the prompt as the camera's model, the rest downwards."""


def save_webp(  # noqa: PLR0913 - the node has that many inputs
    task: Task, *, images: Frames, filename_prefix: str, fps: float, lossless: bool, quality: int, method: str
) -> Shown:
    from PIL import Image

    exif = Image.Exif()
    exif[MODEL] = f"prompt:{json.dumps(task.graph)}"
    for at, (key, value) in enumerate({"comfygen_engine": "procedural", **task.extra_pnginfo}.items()):
        exif[MAKE - at] = f"{key}:{json.dumps(value)}"
    how = {"lossless": lossless, "quality": quality, "method": METHODS[method], "exif": exif}
    return _saved(task, images, filename_prefix, "webp", {**how, "duration": int(1000 / fps)})


def save_png(task: Task, *, images: Frames, filename_prefix: str, fps: float, compress_level: int) -> Shown:
    how = {"pnginfo": _png_info(task), "compress_level": compress_level, "duration": int(1000 / fps)}
    return _saved(task, images, filename_prefix, "png", how)


def _saved(task: Task, images: Frames, prefix: str, form: str, how: dict[str, Any]) -> Shown:
    count, height, width = images.shape[:3]
    check_pixels(width, height, count)
    path, listed = target(task, "output", prefix, (width, height)).file(f"_.{form}")
    # A list, because Pillow reads the frames of a PNG twice.
    first, *others = _opened(task, images)
    first.save(path, form, save_all=True, append_images=others, **how)
    return Shown((images,), {"images": [listed], "animated": [True]})


def _opened(task: Task, images: Frames) -> "Iterator[Image.Image]":
    from PIL import Image

    for picture in each(images):
        task.check_interrupt()
        yield Image.fromarray(picture)


def _png_info(task: Task) -> "PngInfo":
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    known = {"comfygen_engine": "procedural", "prompt": task.graph, **task.extra_pnginfo}
    for key, value in known.items():
        text = f"{key}\0{json.dumps(value)}".encode("latin-1")
        info.add(b"comf", text, after_idat=True)
    return info


def _saver(name: str, title: str, run: Any, more: dict[str, Input]) -> Node:
    inputs = {
        "images": link("IMAGE"),
        "filename_prefix": prefix_input(tooltip=None),
        "fps": number(6.0, 0.01, 1000.0, step=0.01),
    }
    return Node(
        name,
        title,
        "image",
        {**inputs, **more},
        slots("IMAGE:images"),
        run,
        module="comfy_extras.nodes_images",
        output_node=True,
        hidden=HIDDEN_V3,
        streamed=frozenset({"images"}),
    )


NODES = (
    _saver(
        "SaveAnimatedWEBP",
        "Save Animated WEBP",
        save_webp,
        {
            "lossless": switch(default=True),
            "quality": integer(80, 0, 100),
            "method": choice(*METHODS, form="v3"),
        },
    ),
    _saver("SaveAnimatedPNG", "Save Animated PNG", save_png, {"compress_level": integer(4, 0, 9)}),
)
