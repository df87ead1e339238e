"""Writes MP4, WebM, FLAC and the like with PyAV, which the `video` extra installs."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from comfygen_mcp.engine.film import Picture
from comfygen_mcp.engine.task import NodeFailure
from comfygen_mcp.engine.values import Sound

CHUNK_S = 1
"""Silence is encoded a second at a time."""
SMALLEST_SIDE = 2


@dataclass(frozen=True)
class Track:
    """How pictures are encoded: PyAV's names of the codec and of its options."""

    codec: str
    width: int
    height: int
    fps: float
    options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class SoundTrack:
    codec: str
    sound: Sound
    quality: int | None = None
    bit_rate: int | None = None


@dataclass(frozen=True)
class Container:
    """The file: PyAV's name of its format, and what it says of itself."""

    path: Path
    format: str
    metadata: Mapping[str, str]


def write_video(
    container: Container,
    track: Track,
    pictures: Iterator[Picture],
    *,
    sound: SoundTrack | None = None,
    check_interrupt: Callable[[], None],
) -> None:
    """Encode *pictures* one after the other; an odd last row or column is left out, as codecs want it."""
    if min(track.width, track.height) < SMALLEST_SIDE:
        raise NodeFailure(
            f"A video has at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels, and these frames are "
            f"{track.width}x{track.height}: scale them up first.",
            "ValueError",
        )
    with _written(container) as output:
        import av

        stream: Any = output.add_stream(track.codec, rate=Fraction(round(track.fps * 1000), 1000))
        stream.width, stream.height = track.width // 2 * 2, track.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.options = dict(track.options)
        audio = _sound_stream(output, sound) if sound else None
        for picture in pictures:
            check_interrupt()
            even = np.ascontiguousarray(picture[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            output.mux(stream.encode(frame.reformat(format="yuv420p")))
        output.mux(stream.encode(None))
        if sound:
            _encode_silence(output, audio, sound.sound, check_interrupt)


def write_sound(container: Container, track: SoundTrack, *, check_interrupt: Callable[[], None]) -> None:
    with _written(container) as output:
        _encode_silence(output, _sound_stream(output, track), track.sound, check_interrupt)


@contextmanager
def _written(container: Container) -> Generator[Any]:
    """Open the file under a name that no listing counts; it gets its own when it is whole."""
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise NodeFailure(
            "Video and sound files are written with PyAV, which is not installed on this engine: install "
            "comfygen-mcp[video] (pip install 'comfygen-mcp[video]') and start the engine anew.",
            "ModuleNotFoundError",
        ) from error
    part = container.path.with_name(f".{container.path.name}.part")
    options = {"movflags": "use_metadata_tags+faststart"} if container.format == "mp4" else {}
    try:
        # Its stubs leave packets and options unknown, so that it is taken as it comes.
        opened: Any = av.open(part, "w", format=container.format, options=options)
        with opened as output:
            output.metadata.update(container.metadata)
            yield output
        part.replace(container.path)
    except FFmpegError as error:
        # Its text names the file's path.
        raise NodeFailure(
            error.strerror or type(error).__name__, f"av.error.{type(error).__name__}"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _sound_stream(output: Any, track: SoundTrack) -> Any:
    layout = "mono" if track.sound.channels == 1 else "stereo"
    stream: Any = output.add_stream(track.codec, rate=track.sound.rate, layout=layout)
    if track.bit_rate:
        stream.bit_rate = track.bit_rate
    if track.quality is not None:
        stream.codec_context.qscale = track.quality
    return stream


def _encode_silence(output: Any, stream: Any, sound: Sound, check_interrupt: Callable[[], None]) -> None:
    import av

    layout = "mono" if sound.channels == 1 else "stereo"
    chunk = sound.rate * CHUNK_S
    for start in range(0, sound.samples, chunk):
        check_interrupt()
        samples = min(chunk, sound.samples - start)
        silence = np.zeros((1, samples * sound.channels), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout=layout)
        frame.sample_rate = sound.rate
        frame.pts = start
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
