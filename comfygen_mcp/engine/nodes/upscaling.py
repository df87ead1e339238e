"""Nodes that bring pictures to a model's size, and enlarge them as an upscale model would."""

import math
import re

import numpy as np

from comfygen_mcp.engine.nodes.enlarged import enlarged
from comfygen_mcp.engine.nodes.limits import MAX_PIXELS, check_enlarged, check_pixels
from comfygen_mcp.engine.nodes.resizing import METHODS, covering, resized, sizable
from comfygen_mcp.engine.nodes.spec import Node, choice, files, integer, link, number, slots
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Frames, Pictures, UpscaleModel

MEGAPIXEL = 1024 * 1024
KONTEXT_SIZES = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
    (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688),
    (1568, 672),
)  # fmt: skip
"""The sizes that FLUX.1 Kontext was trained with."""
FACTOR = re.compile(r"(?<![0-9])([1-8])x|x([1-8])(?![0-9])", re.IGNORECASE)
DEFAULT_FACTOR = 4


def load_model(_: Task, *, model_name: str) -> tuple[UpscaleModel]:
    return (UpscaleModel(model_name, factor_of(model_name)),)


def enlarge(task: Task, *, upscale_model: UpscaleModel, image: Pictures) -> tuple[Frames]:
    large = enlarged(image, upscale_model.factor)
    check_enlarged(large.width, large.height, large.count)
    if large.width * large.height * large.count > MAX_PIXELS:
        return (large,)
    pictures: list[Pictures] = []
    for index, picture in enumerate(large, 1):
        pictures.append(picture)
        task.step(index, large.count, lambda: b"")
    return (np.stack(pictures),)


def to_total_pixels(
    task: Task, *, image: Frames, upscale_method: str, megapixels: float, resolution_steps: int = 1
) -> tuple[Pictures]:
    height, width = image.shape[1:3]
    scale = math.sqrt(megapixels * MEGAPIXEL / (width * height))
    wide, tall = (
        max(1, round(side * scale / resolution_steps)) * resolution_steps for side in (width, height)
    )
    check_pixels(wide, tall, len(image))
    return (resized(sizable(image, task.check_interrupt), wide, tall, upscale_method),)


def to_largest_side(task: Task, *, image: Frames, upscale_method: str, largest_size: int) -> tuple[Pictures]:
    height, width = image.shape[1:3]
    scale = largest_size / max(height, width)
    wide, tall = (max(1, round(side * scale)) for side in (width, height))
    check_pixels(wide, tall, len(image))
    return (resized(sizable(image, task.check_interrupt), wide, tall, upscale_method),)


def to_kontext_size(_: Task, *, image: Pictures) -> tuple[Pictures]:
    ratio = image.shape[2] / image.shape[1]
    return (covering(image, *min(KONTEXT_SIZES, key=lambda size: abs(ratio - size[0] / size[1]))),)


def factor_of(model_name: str) -> int:
    """Return how much larger a model makes pictures, as its file's name says: `4x-UltraSharp`, `x2plus`."""
    found = FACTOR.search(model_name.rpartition("/")[2])
    return int(found[1] or found[2]) if found else DEFAULT_FACTOR


UPSCALING, MODELS = "image/upscaling", "comfy_extras.nodes_upscale_model"

NODES = (
    Node(
        "UpscaleModelLoader",
        "Load Upscale Model",
        "model/loaders",
        {"model_name": files("upscale_models", form="v3")},
        slots("UPSCALE_MODEL"),
        load_model,
        module=MODELS,
    ),
    Node(
        "ImageUpscaleWithModel",
        "Upscale Image (using Model)",
        UPSCALING,
        {"upscale_model": link("UPSCALE_MODEL"), "image": link("IMAGE")},
        slots("IMAGE"),
        enlarge,
        module=MODELS,
    ),
    Node(
        "ImageScaleToTotalPixels",
        "Scale Image to Total Pixels",
        UPSCALING,
        {
            "image": link("IMAGE"),
            "upscale_method": choice(*METHODS, form="v3"),
            "megapixels": number(1.0, 0.01, 16.0, step=0.01),
            "resolution_steps": integer(1, 1, 256),
        },
        slots("IMAGE"),
        to_total_pixels,
        streamed=frozenset({"image"}),
        module="comfy_extras.nodes_post_processing",
    ),
    Node(
        "ImageScaleToMaxDimension",
        "Scale Image to Max Dimension",
        UPSCALING,
        {
            "image": link("IMAGE"),
            "upscale_method": choice(
                "area", "lanczos", "bilinear", "nearest-exact", "bilinear", "bicubic", form="v3"
            ),
            "largest_size": integer(512, 0, 16384, step=1),
        },
        slots("IMAGE"),
        to_largest_side,
        streamed=frozenset({"image"}),
        module="comfy_extras.nodes_images",
    ),
    Node(
        "FluxKontextImageScale",
        "FluxKontextImageScale",
        "model/conditioning/flux",
        {"image": link("IMAGE")},
        slots("IMAGE"),
        to_kontext_size,
        module="comfy_extras.nodes_flux",
    ),
)
