"""Nodes that make and change pictures, for real."""

import numpy as np

from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.resizing import METHODS, covering, cut, resized, sizable
from comfygen_mcp.engine.nodes.spec import Node, choice, integer, link, number, slots
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Frames, Pictures


def empty(_: Task, *, width: int, height: int, color: int, batch_size: int = 1) -> tuple[Pictures]:
    check_pixels(width, height, batch_size)
    rgb = np.array([color >> 16 & 255, color >> 8 & 255, color & 255], np.uint8)
    return (np.broadcast_to(rgb, (batch_size, height, width, 3)).copy(),)


def scale(
    task: Task, *, image: Frames, upscale_method: str, width: int, height: int, crop: str
) -> tuple[Frames]:
    old_height, old_width = image.shape[1:3]
    if width == 0 and height == 0:
        return (image,)
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    check_pixels(width, height, len(image))
    source = sizable(image, task.check_interrupt)
    source = cut(source, width / height) if crop == "center" else source
    return (resized(source, width, height, upscale_method),)


def scale_by(task: Task, *, image: Frames, upscale_method: str, scale_by: float) -> tuple[Pictures]:
    width, height = (max(1, round(side * scale_by)) for side in (image.shape[2], image.shape[1]))
    check_pixels(width, height, len(image))
    return (resized(sizable(image, task.check_interrupt), width, height, upscale_method),)


def invert(_: Task, *, image: Pictures) -> tuple[Pictures]:
    return (255 - image,)


def batch(_: Task, *, image1: Pictures, image2: Pictures) -> tuple[Pictures]:
    height, width = image1.shape[1:3]
    return (np.concatenate([image1, covering(image2, width, height, "bilinear")]),)


NODES = (
    Node(
        "EmptyImage",
        "Empty Image",
        "image",
        {
            "width": integer(512, 1, 16384, step=1),
            "height": integer(512, 1, 16384, step=1),
            "batch_size": integer(1, 1, 4096),
            "color": integer(0, 0, 0xFFFFFF, step=1),
        },
        slots("IMAGE"),
        empty,
    ),
    Node(
        "ImageScale",
        "Upscale Image",
        "image/upscaling",
        {
            "image": link("IMAGE"),
            "upscale_method": choice(*METHODS),
            "width": integer(512, 0, 16384, step=1),
            "height": integer(512, 0, 16384, step=1),
            "crop": choice("disabled", "center"),
        },
        slots("IMAGE"),
        scale,
        streamed=frozenset({"image"}),
    ),
    Node(
        "ImageScaleBy",
        "Upscale Image By",
        "image/upscaling",
        {
            "image": link("IMAGE"),
            "upscale_method": choice(*METHODS),
            "scale_by": number(1.0, 0.01, 8.0, step=0.01),
        },
        slots("IMAGE"),
        scale_by,
        streamed=frozenset({"image"}),
    ),
    Node("ImageInvert", "Invert Image", "image/color", {"image": link("IMAGE")}, slots("IMAGE"), invert),
    Node(
        "ImageBatch",
        "Batch Images",
        "image/batch",
        {"image1": link("IMAGE"), "image2": link("IMAGE")},
        slots("IMAGE"),
        batch,
        deprecated=True,
    ),
)
