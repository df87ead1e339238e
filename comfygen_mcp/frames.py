"""Frames: how many a video gets, by the rule of its model."""

import math

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import Limits, Record


class Frames(Record):
    """A number of frames that the model can make; *notes* say what was changed to get there."""

    frames: int
    notes: tuple[str, ...] = ()


def resolve_frames(
    *, frames: int | None, seconds: float | None, fps: float, default: int, limits: Limits
) -> Frames:
    """Return the number of frames that is meant, snapped to `n * frame_step + 1` with a note.

    Raises BadRequest when both are given, or for a length that the model cannot make.
    """
    if frames is not None and seconds is not None:
        raise BadRequest(f"frames={frames} and seconds={seconds:g} are both given. Give one of them.")
    if seconds is None:
        return _snapped(default if frames is None else frames, limits, fps)
    if not (math.isfinite(seconds) and seconds > 0):
        raise BadRequest(f"seconds={seconds} is no length. Give the seconds of video, such as 5.")
    # One frame more than the intervals: 5 s at 16 fps are 81 frames.
    return _snapped(round(seconds * fps) + 1, limits, fps).model_copy(update={"notes": ()})


def _snapped(asked: int, limits: Limits, fps: float) -> Frames:
    most = (limits.max_frames - 1) // limits.frame_step * limits.frame_step + 1
    if not 1 <= asked <= limits.max_frames:
        raise BadRequest(
            f"{asked} frames are not possible: this model makes 1 to {most} frames "
            f"({(most - 1) / fps:.1f} s at {fps:g} frames a second)."
        )
    step = limits.frame_step
    frames = min(max(math.floor((asked - 1) / step + 0.5) * step + 1, 1), most)
    if frames == asked:
        return Frames(frames=frames)
    return Frames(
        frames=frames,
        notes=(f"frames={asked} became {frames}: this model makes n x {step} + 1 frames.",),
    )
