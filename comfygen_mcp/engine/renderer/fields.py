"""Smooth random fields and profiles: the stuff of clouds, ridges and water."""

import numpy as np
from PIL import Image

from comfygen_mcp.engine.renderer.colour import Plane


def cloud_field(
    rng: np.random.Generator,
    width: int,
    height: int,
    *,
    cells: float = 4,
    stretch: float = 2,
    octaves: int = 4,
) -> Plane:
    """Return fractal noise, about -1..1; *cells* bumps span the height, each *stretch* times as wide."""
    total = np.zeros((height, width), np.float32)
    weight = 0.55
    for octave in range(octaves):
        rows = max(2, round(cells * 2**octave))
        columns = max(2, round(cells * 2**octave * width / height / stretch))
        grid = rng.standard_normal((rows + 3, columns + 3)).astype(np.float32)
        total += weight * enlarged(grid, width, height)
        weight *= 0.52
    return total


def enlarged(grid: Plane, width: int, height: int) -> Plane:
    image = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def profile(
    rng: np.random.Generator,
    width: int,
    *,
    bumps: float,
    octaves: int = 5,
    ridged: bool = False,
    fall: float = 0.5,
) -> Plane:
    """Return a one-dimensional fractal line, about -1..1; *ridged* lines have sharp peaks."""
    x = np.arange(width, dtype=np.float32) / width
    total = np.zeros(width, np.float32)
    weight, reach = 1.0, 0.0
    for octave in range(octaves):
        knots = max(4, round(bumps * 2**octave) + 3)
        values = rng.uniform(-1, 1, knots).astype(np.float32)
        position = x * (knots - 1.001)
        left = position.astype(np.int32)
        share = position - left
        # Straight lines between the knots give rock, smoothed ones give earth.
        share = share if ridged else share * share * (3 - 2 * share)
        total += weight * (values[left] * (1 - share) + values[left + 1] * share)
        reach += weight
        weight *= fall
    return total / (0.62 * reach)


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    scaled = np.clip((values - low) / (high - low), 0, 1)
    return scaled * scaled * (3 - 2 * scaled)


def ease(share: float) -> float:
    """Return a share of 0..1 that sets off and arrives gently."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
