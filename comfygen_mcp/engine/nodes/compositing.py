"""Nodes that cut, pad and combine pictures."""

import numpy as np

from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.resizing import resized, resized_masks
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, integer, link, maybe, slots, switch
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Masks, Pictures

GREY = 128
TURNS = {"none": 0, "90 degrees": -1, "180 degrees": -2, "270 degrees": -3}
"""numpy turns against the clock."""


def crop(_: Task, *, image: Pictures, width: int, height: int, x: int, y: int) -> tuple[Pictures]:
    x, y = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    return (image[:, y : y + height, x : x + width],)


def flip(_: Task, *, image: Pictures, flip_method: str) -> tuple[Pictures]:
    return (image[:, ::-1] if flip_method.startswith("x") else image[:, :, ::-1],)


def rotate(_: Task, *, image: Pictures, rotation: str) -> tuple[Pictures]:
    return (np.rot90(image, TURNS[rotation], (1, 2)),)


def paste(
    _: Task,
    *,
    destination: Pictures,
    source: Pictures,
    x: int,
    y: int,
    resize_source: bool,
    mask: Masks | None = None,
) -> tuple[Pictures]:
    height, width = destination.shape[1:3]
    if resize_source:
        source = resized(source, width, height, "bilinear")
    pasted = destination.copy()
    region = pasted[:, y : y + source.shape[1], x : x + source.shape[2]]
    cover = np.ones((1, *source.shape[1:3]), np.float32) if mask is None else mask
    cover = resized_masks(cover, source.shape[2], source.shape[1])
    if mask is not None and pasted.shape[1:] == source.shape[1:]:
        cover = _with_bars(cover, destination, source)
    for index, place in enumerate(region):
        shown = source[index % len(source), : place.shape[0], : place.shape[1]]
        share = cover[index % len(cover), : place.shape[0], : place.shape[1], None]
        place[:] = (share * shown + (1 - share) * place + 0.5).clip(0, 255).astype(np.uint8)
    return (pasted,)


def _with_bars(cover: Masks, destination: Pictures, source: Pictures) -> Masks:
    """Let the bar of a preview be seen whole, and none of an earlier one, whatever the mask covers."""
    from comfygen_mcp.engine.renderer.old_label import old_bar, over_old_bar

    covers: list[Masks] = []
    for index, old in enumerate(destination):
        plane, shown = cover[index % len(cover)], source[index % len(source)]
        if bar := old_bar(shown):
            plane = over_old_bar(plane, old).copy()
            plane[-bar:] = 1
        covers.append(plane)
    return np.stack(covers)


def pad(
    _: Task, *, image: Pictures, left: int, top: int, right: int, bottom: int, feathering: int
) -> tuple[Pictures, Masks]:
    count, height, width = image.shape[:3]
    check_pixels(width + left + right, height + top + bottom, count)
    around = ((top, bottom), (left, right))
    padded = np.pad(image, ((0, 0), *around, (0, 0)), constant_values=GREY)
    edge = _feathered((height, width), around, feathering)
    return padded, np.pad(edge, around, constant_values=1)[None]


def _feathered(
    size: tuple[int, int], around: tuple[tuple[int, int], tuple[int, int]], feathering: int
) -> Masks:
    """Return a mask of the old picture that rises towards the edges where something is added."""
    if feathering <= 0 or 2 * feathering >= min(size):
        return np.zeros(size, np.float32)
    far = max(size)
    lines: list[Masks] = []
    for length, (before, after) in zip(size, around, strict=True):
        place = np.arange(length, dtype=np.float32)
        lines.append(np.minimum(place if before else far, length - place if after else far))
    distance = np.minimum(lines[0][:, None], lines[1][None, :])
    return ((feathering - distance) / feathering).clip(0, 1) ** 2


def _pixels(default: int, low: int = 0, step: int = 1) -> Input:
    return integer(default, low, 16384, step=step)


IMAGES, TRANSFORM = "comfy_extras.nodes_images", "image/transform"
EDGES = ("left", "top", "right", "bottom")

NODES = (
    Node(
        "ImageCrop",
        "Image Crop",
        TRANSFORM,
        {
            "image": link("IMAGE"),
            "width": _pixels(512, 1),
            "height": _pixels(512, 1),
            "x": _pixels(0),
            "y": _pixels(0),
        },
        slots("IMAGE"),
        crop,
        module=IMAGES,
        deprecated=True,
    ),
    Node(
        "ImageFlip",
        "ImageFlip",
        TRANSFORM,
        {
            "image": link("IMAGE"),
            "flip_method": choice("x-axis: vertically", "y-axis: horizontally", form="v3"),
        },
        slots("IMAGE"),
        flip,
        module=IMAGES,
    ),
    Node(
        "ImageRotate",
        "ImageRotate",
        TRANSFORM,
        {"image": link("IMAGE"), "rotation": choice(*TURNS, form="v3")},
        slots("IMAGE"),
        rotate,
        module=IMAGES,
    ),
    Node(
        "ImageCompositeMasked",
        "ImageCompositeMasked",
        "image/compositing",
        {
            "destination": link("IMAGE"),
            "source": link("IMAGE"),
            "x": _pixels(0),
            "y": _pixels(0),
            "resize_source": switch(default=False),
            "mask": maybe(link("MASK")),
        },
        slots("IMAGE"),
        paste,
        module="comfy_extras.nodes_mask",
    ),
    Node(
        "ImagePadForOutpaint",
        "Pad Image for Outpainting",
        TRANSFORM,
        {"image": link("IMAGE"), **{edge: _pixels(0, step=8) for edge in EDGES}, "feathering": _pixels(40)},
        slots("IMAGE", "MASK"),
        pad,
    ),
)
