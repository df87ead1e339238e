"""How a subject moves: fliers drift, ships rock, walkers bob and breathe, the rest stands."""

import math
from dataclasses import dataclass

from PIL import Image

from comfygen_mcp.engine.renderer.layers import layer_of
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.subject import ART, floats, paint_subject

GOING = {
    "walk", "walks", "walking", "run", "runs", "running", "jump", "jumps", "jumping", "dance", "dances",
    "dancing", "gallop", "galloping", "drive", "drives", "driving", "race", "racing", "sail", "sails",
    "sailing", "fly", "flies", "flying", "swim", "swims", "swimming", "ride", "riding", "moves", "moving",
}  # fmt: skip
STILL = {"vase", "ball", "house", "castle", "pyramid", "lighthouse", "cactus", "cup"}
RISING = {"balloon", "rocket"}
VEHICLES = {"car"}
SWAYING = {"tree", "flower"}


@dataclass(frozen=True)
class Pose:
    """Where a subject is then: moved by shares of its size, turned about its foot, stretched upwards."""

    across: float = 0.0
    up: float = 0.0
    turn: float = 0.0
    stretch: float = 1.0


class MovingSubject:
    def __init__(self, plan: Plan, size: tuple[int, int]) -> None:
        layer = layer_of(lambda image: paint_subject(image, plan), size)
        box = layer.getbbox() or (0, 0, 1, 1)
        self._plan = plan
        self._box = box
        self._tile = layer.crop(box)
        self._toward = -1 if plan.mirrored else 1

    def stand(self, image: Image.Image, seconds: float, lead: float) -> None:
        """Draw it into *image*; *lead* is how far it runs ahead of its surroundings, in pixels."""
        pose = pose_of(self._plan, seconds)
        unit = min(self._tile.size)
        x = self._box[0] + lead + self._toward * pose.across * unit
        y = self._box[1] - pose.up * unit
        left, top = math.floor(x), math.floor(y)
        tile = _posed(self._tile, pose, (x - left, y - top))
        image.paste(tile, (left, top), tile)


def pose_of(plan: Plan, seconds: float) -> Pose:
    """Return the pose of the plan's subject after so many seconds; the first is the one of the still."""
    subject = plan.subject or ""
    is_going = not GOING.isdisjoint(plan.words)
    if floats(plan):
        return (
            _rising(seconds) if subject in RISING and plan.place != "space" else _floating(seconds, is_going)
        )
    if subject in STILL:
        return Pose()
    if subject in SWAYING:
        return Pose(turn=1.4 * math.sin(1.1 * seconds))
    if ART[subject].where == "water":
        return Pose(0.03 * seconds, 0.012 * math.sin(1.9 * seconds), 1.8 * math.sin(1.3 * seconds))
    return _walking(seconds, subject) if is_going or subject in VEHICLES else _breathing(seconds)


def _rising(seconds: float) -> Pose:
    wave = math.sin(1.9 * seconds)
    return Pose(0.03 * seconds, 0.03 * seconds + 0.012 * wave, 1.2 * wave)


def _floating(seconds: float, is_going: bool) -> Pose:
    wave = math.sin(1.9 * seconds)
    return Pose((0.09 if is_going else 0.05) * seconds, 0.035 * wave, 2.0 * wave)


def _walking(seconds: float, subject: str) -> Pose:
    if subject in VEHICLES:
        return Pose(0.2 * seconds, 0.004 * math.sin(19 * seconds))
    return Pose(0.12 * seconds, 0.05 * abs(math.sin(5.2 * seconds)), 1.2 * math.sin(5.2 * seconds))


def _breathing(seconds: float) -> Pose:
    return Pose(stretch=1 + 0.012 * math.sin(2.4 * seconds), turn=0.5 * math.sin(0.9 * seconds))


def _posed(tile: Image.Image, pose: Pose, rest: tuple[float, float]) -> Image.Image:
    """Turn and stretch the tile about the middle of its foot, and move it by the *rest* of a pixel."""
    width, height = tile.size
    foot_x, foot_y = width / 2, height * 0.94
    angle = math.radians(pose.turn)
    cos, sin = math.cos(angle), math.sin(angle)
    a, b = cos, -sin
    d, e = sin / pose.stretch, cos / pose.stretch
    c = foot_x - a * (foot_x + rest[0]) - b * (foot_y + rest[1])
    f = foot_y - d * (foot_x + rest[0]) - e * (foot_y + rest[1])
    # Premultiplied, so that no dark rim appears where the edge is averaged.
    posed = tile.convert("RGBa").transform(
        tile.size, Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
    )
    return posed.convert("RGBA")
