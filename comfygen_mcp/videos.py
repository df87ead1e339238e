"""Videos: a strip of stills, where the `video` extra is installed to read them."""

import io
from pathlib import Path
from typing import Any

STILLS = 4
MAX_BYTES = 64_000_000
"""A larger file is not read just to be shown small."""


def stills(source: Path | bytes, count: int = STILLS) -> list[bytes]:
    """Return *count* frames of a video, first to last, as PNG; none without PyAV or when it is no video."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        return []
    readable = io.BytesIO(source) if isinstance(source, bytes) else str(source)
    try:
        with av.open(readable, mode="r") as container:
            stream = container.streams.video[0]
            wanted = _spread(stream.frames, count)
            return [_png(frame) for at, frame in enumerate(container.decode(stream)) if at in wanted]
    except (FFmpegError, IndexError, ValueError):
        return []


def _spread(frames: int, count: int) -> frozenset[int]:
    last = max(frames - 1, 0)
    return frozenset(round(last * at / max(count - 1, 1)) for at in range(count))


def _png(frame: Any) -> bytes:
    buffer = io.BytesIO()
    frame.to_image().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
