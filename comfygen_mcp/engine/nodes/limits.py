"""How many pixels one node may hold: what a GPU refuses for lack of memory is refused here by count."""

from comfygen_mcp.engine.task import NodeFailure

MAX_PIXELS = 64 * 1024 * 1024


def check_pixels(width: int, height: int, count: int) -> None:
    if width * height * count > MAX_PIXELS:
        raise NodeFailure(
            f"Allocation on device: {count} x {width}x{height} is more than the {MAX_PIXELS} pixels allowed.",
            "torch.OutOfMemoryError",
        )
