"""Image to image: a picture painted over, first its light and colours, then its subject, last its place."""

import numpy as np
from PIL import Image

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.layers import shown
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.scene import paint_surroundings
from comfygen_mcp.engine.renderer.subject import paint_subject
from comfygen_mcp.engine.renderer.treatment import treated
from comfygen_mcp.engine.renderer.weather import paint_weather

SUBJECT_FROM, SUBJECT_BY = 0.42, 0.6
PLACE_FROM = 0.5


def paint_over(canvas: Image.Image, plan: Plan, strength: float) -> Image.Image:
    """Return *canvas* changed as far as *strength* (the denoise, below 1) allows."""
    image = regraded(canvas, plan, 0.8 * strength)
    if place := _ramp(strength, PLACE_FROM, 1.0):
        image = Image.blend(image, paint_surroundings(plan, *canvas.size), place)
    if plan.subject and (share := _ramp(strength, SUBJECT_FROM, SUBJECT_BY)):
        image.paste(*shown(lambda layer: paint_subject(layer, plan), canvas.size, share))
    if plan.weather:
        image.paste(*shown(lambda layer: paint_weather(layer, plan), canvas.size, _ramp(strength, 0, 0.6)))
    return Image.blend(image, treated(image, plan), _ramp(strength, 0.0, 0.7)) if plan.styles else image


def regraded(image: Image.Image, plan: Plan, share: float) -> Image.Image:
    """Lend the picture the light of the plan: its shadows become the land's, its lights the sun's."""
    grey = np.asarray(image.convert("L"), np.float32) / 255
    stops = np.array([plan.palette.land, plan.palette.middle, plan.palette.horizon, plan.palette.sun])
    graded = np.stack([np.interp(grey, [0, 0.45, 0.78, 1], stops[:, c]) for c in range(3)], -1)
    pixels = np.asarray(image, np.float32)
    return from_floats(pixels + share * (255 * graded.astype(np.float32) - pixels))


def in_colours_of(image: Image.Image, model: Image.Image, share: float) -> Image.Image:
    """Bring mean and spread of each colour channel nearer to those of *model*."""
    ours, theirs = np.asarray(image, np.float32), np.asarray(model, np.float32)
    mean, spread = ours.mean((0, 1)), ours.std((0, 1)) + 1
    wanted = (ours - mean) * ((theirs.std((0, 1)) + 12) / spread).clip(0.5, 1.5) + theirs.mean((0, 1))
    return from_floats(ours + share * (wanted - ours))


def from_floats(pixels: Plane) -> Image.Image:
    return Image.fromarray((pixels + 0.5).clip(0, 255).astype(np.uint8))


def _ramp(value: float, low: float, high: float) -> float:
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return share * share * (3 - 2 * share)
