"""Nodes that make and change masks, for real."""

from collections.abc import Callable
from typing import Any

import numpy as np

from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, integer, link, number, slots, switch
from comfygen_mcp.engine.task import NodeFailure, Task
from comfygen_mcp.engine.values import Masks, Pictures

MODULE = "comfy_extras.nodes_mask"
CHANNELS = ("red", "green", "blue", "alpha")
OPERATIONS: dict[str, Callable[[Masks, Masks], Masks]] = {
    "multiply": lambda ours, theirs: ours * theirs,
    "add": lambda ours, theirs: ours + theirs,
    "subtract": lambda ours, theirs: ours - theirs,
    "and": lambda ours, theirs: (_bits(ours) & _bits(theirs)).astype(np.float32),
    "or": lambda ours, theirs: (_bits(ours) | _bits(theirs)).astype(np.float32),
    "xor": lambda ours, theirs: (_bits(ours) ^ _bits(theirs)).astype(np.float32),
}


def solid(_: Task, *, value: float, width: int, height: int) -> tuple[Masks]:
    check_pixels(width, height, 1)
    return (np.full((1, height, width), value, np.float32),)


def invert(_: Task, *, mask: Masks) -> tuple[Masks]:
    return (1 - mask,)


def crop(_: Task, *, mask: Masks, x: int, y: int, width: int, height: int) -> tuple[Masks]:
    x, y = min(x, mask.shape[2] - 1), min(y, mask.shape[1] - 1)
    return (mask[:, y : y + height, x : x + width],)


def threshold(_: Task, *, mask: Masks, value: float) -> tuple[Masks]:
    return ((mask > value).astype(np.float32),)


def grow(task: Task, *, mask: Masks, expand: int, tapered_corners: bool) -> tuple[Masks]:
    return (grown(mask, expand, square=not tapered_corners, check=task.check_interrupt),)


def feather(_: Task, *, mask: Masks, left: int, top: int, right: int, bottom: int) -> tuple[Masks]:
    """Let the mask rise from each edge to its value within so many pixels."""
    height, width = mask.shape[1:]
    across = _rise(width, left) * _rise(width, right)[::-1]
    down = _rise(height, top) * _rise(height, bottom)[::-1]
    return (mask * across[None, None, :] * down[None, :, None],)


def composite(_: Task, *, destination: Masks, source: Masks, x: int, y: int, operation: str) -> tuple[Masks]:
    combined = np.array(destination, np.float32)
    region = combined[:, y : y + source.shape[1], x : x + source.shape[2]]
    theirs = source[:, : region.shape[1], : region.shape[2]]
    region[:] = OPERATIONS[operation](region, theirs)
    return (combined.clip(0, 1),)


def to_image(_: Task, *, mask: Masks) -> tuple[Pictures]:
    return (as_pictures(mask),)


def from_image(_: Task, *, image: Pictures, channel: str) -> tuple[Masks]:
    index = CHANNELS.index(channel)
    if index >= image.shape[3]:
        raise NodeFailure(f"The image has no {channel} channel: it is an RGB image.", "IndexError")
    return (image[..., index].astype(np.float32) / 255,)


def as_pictures(mask: Masks) -> Pictures:
    grey = (mask.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3)


def grown(mask: Masks, by: int, *, square: bool, check: Callable[[], None] = lambda: None) -> Masks:
    """Return the mask so many pixels larger, or smaller when *by* is negative."""
    widest = np.maximum if by > 0 else np.minimum
    for _ in range(min(abs(by), max(mask.shape[1:]))):
        check()
        mask = _stepped(mask, widest, square=square)
    return mask


def _stepped(mask: Masks, widest: "np.ufunc", *, square: bool) -> Masks:
    """Let every pixel take the extreme of its neighbours: four of them, or eight when *square*."""
    down = mask.copy()
    widest(down[:, 1:], mask[:, :-1], out=down[:, 1:])
    widest(down[:, :-1], mask[:, 1:], out=down[:, :-1])
    source = down if square else mask
    across = down.copy()
    widest(across[:, :, 1:], source[:, :, :-1], out=across[:, :, 1:])
    widest(across[:, :, :-1], source[:, :, 1:], out=across[:, :, :-1])
    return across


def _rise(length: int, over: int) -> Masks:
    rise = np.ones(length, np.float32)
    over = min(over, length)
    rise[:over] = (np.arange(over, dtype=np.float32) + 1) / max(1, over)
    return rise


def _bits(mask: Masks) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    return mask.round().astype(bool)


def _node(name: str, title: str, inputs: dict[str, Input], output: str, run: Callable[..., Any]) -> Node:
    return Node(name, title, "image/mask", inputs, slots(output), run, module=MODULE)


def _pixels(default: int, low: int = 0) -> Input:
    return integer(default, low, 16384, step=1)


MASK = link("MASK")
SIZE = {"width": _pixels(512, 1), "height": _pixels(512, 1)}

NODES = (
    _node("SolidMask", "SolidMask", {"value": number(1.0, 0.0, 1.0, step=0.01), **SIZE}, "MASK", solid),
    _node("InvertMask", "InvertMask", {"mask": MASK}, "MASK", invert),
    _node("CropMask", "CropMask", {"mask": MASK, "x": _pixels(0), "y": _pixels(0), **SIZE}, "MASK", crop),
    _node(
        "MaskComposite",
        "MaskComposite",
        {
            "destination": MASK,
            "source": MASK,
            "x": _pixels(0),
            "y": _pixels(0),
            "operation": choice(*OPERATIONS, form="v3"),
        },
        "MASK",
        composite,
    ),
    _node(
        "FeatherMask",
        "FeatherMask",
        {"mask": MASK, **{edge: _pixels(0) for edge in ("left", "top", "right", "bottom")}},
        "MASK",
        feather,
    ),
    _node(
        "GrowMask",
        "GrowMask",
        {"mask": MASK, "expand": _pixels(0, -16384), "tapered_corners": switch(default=True)},
        "MASK",
        grow,
    ),
    _node(
        "ThresholdMask",
        "ThresholdMask",
        {"mask": MASK, "value": number(0.5, 0.0, 1.0, step=0.01)},
        "MASK",
        threshold,
    ),
    _node("MaskToImage", "Convert Mask to Image", {"mask": MASK}, "IMAGE", to_image),
    _node(
        "ImageToMask",
        "Convert Image to Mask",
        {"image": link("IMAGE"), "channel": choice(*CHANNELS, form="v3")},
        "MASK",
        from_image,
    ),
)
