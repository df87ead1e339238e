"""How much one node may hold or make: what a GPU refuses for lack of memory is refused here by count."""

from comfygen_mcp.engine.task import NodeFailure

MAX_PIXELS = 64 * 1024 * 1024
MAX_FILM_PIXELS = 512 * 1024 * 1024
"""Frames are painted one by one, so that this bounds time: some five minutes of 848x480 at 16 a second."""
MAX_SOUND_S = 3600


def check_pixels(width: int, height: int, count: int) -> None:
    if width * height * count > MAX_PIXELS:
        raise too_much(f"{count} x {width}x{height} is more than the {MAX_PIXELS} pixels allowed")


def check_frames(width: int, height: int, count: int) -> None:
    if width * height > MAX_PIXELS or width * height * count > MAX_FILM_PIXELS:
        longest = MAX_FILM_PIXELS // (width * height)
        raise too_much(f"{count} frames of {width}x{height} are more than the {longest} allowed at that size")


def check_enlarged(width: int, height: int, count: int) -> None:
    """Bound what an upscale model may make, which need not be held: some 6 GB on a real server."""
    if width * height * count > MAX_FILM_PIXELS:
        raise too_much(
            f"an upscale model would make {count} x {width}x{height}, more than the {MAX_FILM_PIXELS} pixels "
            "allowed. Scale the picture down before it, or take a model with a smaller factor"
        )


def check_sound(seconds: float) -> None:
    if not 0 <= seconds <= MAX_SOUND_S:  # also refuses NaN
        raise too_much(f"{seconds:g} s of sound are not within the 0 to {MAX_SOUND_S} s allowed")


def too_much(what: str) -> NodeFailure:
    return NodeFailure(f"Allocation on device: {what}.", "torch.OutOfMemoryError")
