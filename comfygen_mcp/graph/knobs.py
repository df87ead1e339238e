"""The knobs whose values are numbers, whoever sets them: a configured block or a workflow's own defaults."""

from collections.abc import Mapping

from comfygen_mcp.models import SEED_MAX

WHOLE_KNOBS: Mapping[str, int] = {
    "steps": 1,
    "width": 1,
    "height": 1,
    "batch_size": 1,
    "frames": 1,
    "length": 1,
    "start_step": 0,
    "end_step": 0,
    "seed": -1,
}
"""Knobs that are whole numbers → the smallest value that makes sense."""

REAL_KNOBS = frozenset(
    {"cfg", "denoise", "guidance", "shift", "max_shift", "base_shift", "fps", "strength", "eta"}
)
"""Knobs that are any finite number; `fps` too, because ComfyUI takes 23.976."""


def wrong_knob(name: str, value: object) -> str | None:
    """Return what a value of the knob *name* must be when *value* is not that, else None."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if name in WHOLE_KNOBS:
        least = WHOLE_KNOBS[name]
        fits = isinstance(number, int) and least <= number <= SEED_MAX
        return None if fits else f"must be a whole number from {least} on, without quotes"
    if name in REAL_KNOBS:
        fits = number is not None and -SEED_MAX <= number <= SEED_MAX
        return None if fits else "must be a finite number, such as 3.5, without quotes"
    return None
