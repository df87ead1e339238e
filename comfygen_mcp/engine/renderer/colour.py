"""Colours as three floats in 0..1, and the few operations that a palette needs."""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rgb: TypeAlias = tuple[float, float, float]
Plane: TypeAlias = NDArray[np.floating[Any]]
"""A float array; with a last axis of three where it holds colours."""

NAMED: dict[str, Rgb] = {
    "red": (0.84, 0.16, 0.13), "crimson": (0.72, 0.06, 0.16), "scarlet": (0.89, 0.15, 0.1),
    "orange": (0.95, 0.5, 0.1), "amber": (1.0, 0.66, 0.12), "yellow": (0.98, 0.83, 0.2),
    "gold": (0.9, 0.68, 0.22), "golden": (0.9, 0.68, 0.22), "green": (0.2, 0.6, 0.28),
    "emerald": (0.06, 0.6, 0.42), "lime": (0.6, 0.82, 0.2), "olive": (0.45, 0.47, 0.18),
    "teal": (0.05, 0.53, 0.54), "turquoise": (0.2, 0.75, 0.72), "cyan": (0.15, 0.8, 0.88),
    "blue": (0.15, 0.36, 0.8), "azure": (0.2, 0.56, 0.92), "indigo": (0.25, 0.18, 0.6),
    "purple": (0.5, 0.2, 0.66), "violet": (0.55, 0.3, 0.85), "lavender": (0.72, 0.62, 0.9),
    "magenta": (0.85, 0.15, 0.62), "pink": (0.97, 0.56, 0.7), "rose": (0.9, 0.4, 0.5),
    "brown": (0.45, 0.28, 0.16), "bronze": (0.62, 0.42, 0.2), "copper": (0.75, 0.42, 0.25),
    "black": (0.07, 0.07, 0.09), "white": (0.94, 0.94, 0.93), "grey": (0.52, 0.54, 0.56),
    "gray": (0.52, 0.54, 0.56), "silver": (0.76, 0.79, 0.82), "beige": (0.87, 0.79, 0.64),
}  # fmt: skip
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_TO_RGB = np.linalg.inv(_TO_YIQ)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Return *first* with a *share* of *second* in it."""
    a, b = ((1 - share) * x + share * y for x, y in zip(first[:2], second[:2], strict=True))
    return (a, b, (1 - share) * first[2] + share * second[2])


def scale(colour: Rgb, factor: float) -> Rgb:
    red, green, blue = (min(1.0, max(0.0, channel * factor)) for channel in colour)
    return (red, green, blue)


def multiply(first: Rgb, second: Rgb) -> Rgb:
    return (first[0] * second[0], first[1] * second[1], first[2] * second[2])


def turn(colour: Rgb, degrees: float, saturation: float = 1.0) -> Rgb:
    """Turn the hue and multiply the saturation, keeping the lightness."""
    y, i, q = _TO_YIQ @ np.array(colour)
    angle = math.radians(degrees)
    turned_i = (i * math.cos(angle) - q * math.sin(angle)) * saturation
    turned_q = (i * math.sin(angle) + q * math.cos(angle)) * saturation
    red, green, blue = np.clip(_TO_RGB @ np.array([y, turned_i, turned_q]), 0, 1)
    return (float(red), float(green), float(blue))


def luma(colour: Rgb) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def to_bytes(colour: Rgb) -> tuple[int, int, int]:
    red, green, blue = (int(min(1.0, max(0.0, channel)) * 255 + 0.5) for channel in colour)
    return (red, green, blue)
