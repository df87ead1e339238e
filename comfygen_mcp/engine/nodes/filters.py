"""Nodes that blur and sharpen pictures."""

import numpy as np

from comfygen_mcp.engine.nodes.spec import Input, Node, integer, link, number, slots
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Masks, Pictures


def blur(task: Task, *, image: Pictures, blur_radius: int, sigma: float) -> tuple[Pictures]:
    return (np.stack([_bytes(_blurred(task, picture, blur_radius, sigma)) for picture in image]),)


def sharpen(
    task: Task, *, image: Pictures, sharpen_radius: int, sigma: float, alpha: float
) -> tuple[Pictures]:
    """Add ten times *alpha* of what a blur takes away."""
    amount = alpha * 10
    sharpened = [
        _bytes((1 + amount) * picture - amount * _blurred(task, picture, sharpen_radius, sigma))
        for picture in image
    ]
    return (np.stack(sharpened),)


def _blurred(task: Task, picture: Pictures, radius: int, sigma: float) -> Masks:
    """Blur along both axes; *sigma* counts in radii, as it does in ComfyUI."""
    weights = np.exp(-(np.linspace(-1, 1, 2 * radius + 1) ** 2) / (2 * sigma * sigma)).astype(np.float32)
    weights /= weights.sum()
    found = picture.astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(found, [(radius, radius) if at == axis else (0, 0) for at in range(3)], "reflect")
        found = np.zeros_like(found)
        for offset, weight in enumerate(weights):
            task.check_interrupt()
            found += weight * np.take(padded, range(offset, offset + found.shape[axis]), axis)
    return found


def _bytes(values: Masks) -> Pictures:
    return (values + 0.5).clip(0, 255).astype(np.uint8)


def _radius() -> Input:
    return integer(1, 1, 31, step=1)


FILTERS, MODULE = "image/filters", "comfy_extras.nodes_post_processing"

NODES = (
    Node(
        "ImageBlur",
        "Image Blur",
        FILTERS,
        {"image": link("IMAGE"), "blur_radius": _radius(), "sigma": number(1.0, 0.1, 10.0, step=0.1)},
        slots("IMAGE"),
        blur,
        module=MODULE,
    ),
    Node(
        "ImageSharpen",
        "Image Sharpen",
        FILTERS,
        {
            "image": link("IMAGE"),
            "sharpen_radius": _radius(),
            "sigma": number(1.0, 0.1, 10.0, step=0.01),
            "alpha": number(1.0, 0.0, 5.0, step=0.01),
        },
        slots("IMAGE"),
        sharpen,
        module=MODULE,
    ),
)
