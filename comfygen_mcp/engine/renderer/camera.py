"""The camera of a video: a slow drift over a picture that is a little larger than the frame."""

from dataclasses import dataclass

from PIL import Image

from comfygen_mcp.engine.renderer.fields import ease
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.subject import floats

MARGIN = 0.15
"""How much larger the scene is than the frame: the room that the camera has."""
LOW = 0.75
"""Where the camera stands for a subject on the ground, as a place of its room."""
MOVES = {"zoom", "dolly", "camera", "pan", "panning", "tilt", "push", "pull", "track", "tracking"}
DIRECTIONS = {
    "left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0),
    "rising": (0.0, -1.0), "falling": (0.0, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Camera:
    """From one place and closeness to another; places are -1..1 of the room, closeness 0 (wide) to 1."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]

    def seen(self, share: float) -> tuple[float, float, float]:
        """Return where it stands after that share of the video."""
        x, y, near = ((1 - share) * a + share * b for a, b in zip(self.start, self.end, strict=True))
        return x, y, near


def camera_of(plan: Plan) -> Camera:
    """Return the move that the words ask for, else one by chance."""
    rng = plan.chance("camera")
    # A subject is followed the way it looks.
    side = (-1.0 if plan.mirrored else 1.0) if plan.subject else float(rng.choice((-1, 1)))
    # Who stands on the ground keeps a distance from the lower edge, where the label is.
    low = LOW if plan.subject and not floats(plan) else 0.0
    across, down = side * float(rng.uniform(0.5, 1)), float(rng.uniform(-0.4, 0.4))
    directions = [DIRECTIONS[word] for word in plan.words if word in DIRECTIONS]
    if MOVES.isdisjoint(plan.words):
        directions = []
    elif "out" in plan.words or "pull" in plan.words:
        return Camera((0.0, low, 1.0), (0.0, low, 0.0))
    elif {"zoom", "dolly", "push"} & set(plan.words) and not directions:
        return Camera((0.0, low, 0.0), (0.0, low, 1.0))
    if directions:
        across, down = directions[0]
        return Camera((-across, -down, 0.55), (across, down, 0.55))
    return Camera((-across, low or -down, 0.35), (across, low or down, 0.75))


def framed(scene: Image.Image, size: tuple[int, int], seen: tuple[float, float, float]) -> Image.Image:
    """Cut what the camera sees out of the scene."""
    x, y, near = seen
    scale = 1 - MARGIN * ease(near) / (1 + MARGIN)
    wide, tall = scene.width * scale, scene.height * scale
    left = (scene.width - wide) * (0.5 + 0.5 * x)
    top = (scene.height - tall) * (0.5 + 0.5 * y)
    box = (left, top, left + wide, top + tall)
    return scene.resize(size, Image.Resampling.BICUBIC, box)
