"""A sky whose clouds drift: painted anew for every frame, at a third of its size."""

from PIL import Image

from comfygen_mcp.engine.renderer.layers import layer_of
from comfygen_mcp.engine.renderer.plan import Plan
from comfygen_mcp.engine.renderer.sky import (
    CLOUDY,
    SHRINK,
    add_aurora,
    add_clouds,
    clear_sky,
    clouds_of,
    draw_lights,
    enlarged_sky,
)

REACH = 1.0
"""How much wider than the picture the clouds are: they drift on by that share and then back."""
DRIFT_PER_S = 0.04
DRIFT_ASKED_PER_S = 0.11
"""Where the words speak of clouds or wind."""
WINDY = CLOUDY | {"wind", "windy", "drift", "drifts", "drifting", "breeze", "storm", "stormy"}
AURORA_PER_S = 0.5


class MovingSky:
    def __init__(self, plan: Plan, size: tuple[int, int]) -> None:
        self._plan = plan
        self._size = size
        small = (max(8, size[0] // SHRINK), max(8, size[1] // SHRINK))
        self._clear = clear_sky(plan, *small)
        self._clouds = clouds_of(plan, small[0] + round(small[0] * REACH), small[1])
        self._speed = DRIFT_PER_S if WINDY.isdisjoint(plan.words) else DRIFT_ASKED_PER_S
        self._lights = layer_of(lambda image: draw_lights(image, plan), size)

    def at(self, seconds: float) -> Image.Image:
        sky = self._clear.copy()
        width = sky.shape[1]
        room = self._clouds.shape[1] - width
        back_and_forth = abs((seconds * self._speed * width + room) % (2 * room) - room)
        left = round(back_and_forth)
        add_clouds(sky, self._plan, self._clouds[:, left : left + width])
        if "aurora" in self._plan.weather:
            add_aurora(sky, self._plan, AURORA_PER_S * seconds)
        image = enlarged_sky(sky, *self._size)
        image.paste(self._lights, (0, 0), self._lights)
        return image
