"""Looks into fetched files: whether each is whole, and what the graph makes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.models import Output, Record

if TYPE_CHECKING:
    from PIL.Image import Image

_ROUNDING = 2
"""ComfyUI's way through floats may change a channel's value by one, twice."""


class Picture(Record):
    """A decoded picture; *pixels* are the RGB bytes of its first frame."""

    width: int
    height: int
    frames: int
    pixels: bytes

    @property
    def uniform(self) -> bool:
        return self.pixels == self.pixels[:3] * (len(self.pixels) // 3)


def decoded(output: Output) -> Picture:
    """Decode every frame of a fetched picture; raises UnexpectedReply when it is broken or cut."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(output.path) as opened:
            return _read(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise _broken(output, "picture", str(error).replace(str(output.path), output.filename)) from error


def expect_colour(output: Output, colour: int, *, edge: int) -> Picture:
    """Return the picture when it is a square of *edge* pixels in the colour 0xRRGGBB."""
    picture = decoded(output)
    if (picture.width, picture.height) != (edge, edge):
        raise UnexpectedReply(
            f"{output.filename} is {picture.width}x{picture.height}; the graph makes {edge}x{edge}."
        )
    wanted = colour.to_bytes(3, "big")
    if not _same_colour(picture.pixels[:3], wanted) or not _same_colour(picture.pixels[-3:], wanted):
        raise UnexpectedReply(
            f"{output.filename} has the colour {picture.pixels[:3].hex()}; the graph makes {wanted.hex()}."
        )
    return picture


def expect_mp4(output: Output) -> str:
    """Return the names of the file's boxes when it is a whole MP4."""
    data = output.path.read_bytes()
    kinds = list(_boxes(data))
    if kinds[:1] != ["ftyp"] or not {"moov", "mdat"} <= set(kinds):
        raise _broken(output, "MP4", f"its boxes are {', '.join(kinds) or 'none'}")
    return " ".join(kinds)


def expect_flac(output: Output, *, rate: int, seconds: float) -> str:
    """Return the length in words when the file is a FLAC of that sample rate and length."""
    found = _flac_stream(output.path)
    if found is None:
        raise _broken(output, "FLAC", "its first block is not there")
    its_rate, samples = found
    if its_rate != rate or (samples and abs(samples - rate * seconds) > rate / 10):
        raise UnexpectedReply(
            f"{output.filename} has {samples} samples at {its_rate} Hz; the graph makes {seconds:g} s at "
            f"{rate} Hz."
        )
    return f"{samples / rate:.2f} s at {rate} Hz" if samples else f"{rate} Hz, length not told"


def _read(opened: "Image") -> Picture:
    frames: int = getattr(opened, "n_frames", 1)
    first = opened.convert("RGB")
    for frame in range(frames):
        opened.seek(frame)
        opened.load()
    return Picture(width=first.width, height=first.height, frames=frames, pixels=first.tobytes())


def _same_colour(found: bytes, wanted: bytes) -> bool:
    return all(abs(a - b) <= _ROUNDING for a, b in zip(found, wanted, strict=True))


def _boxes(data: bytes) -> Iterator[str]:
    """Yield the kind of each top-level box that is there as a whole (ISO/IEC 14496-12 §4.2)."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        end = at + size if size else len(data)
        if end > len(data) or end < at + 8:
            return
        yield data[at + 4 : at + 8].decode("latin-1")
        at = end


def _flac_stream(path: Path) -> tuple[int, int] | None:
    """Return sample rate and number of samples from STREAMINFO (RFC 9639 §8.2); None when it is cut.

    Encoders that cannot go back to their first block leave the number at 0.
    """
    with path.open("rb") as file:
        head = file.read(42)
    if len(head) < 42 or not head.startswith(b"fLaC"):
        return None
    packed = int.from_bytes(head[18:26], "big")
    return packed >> 44, packed & (1 << 36) - 1


def _broken(output: Output, kind: str, why: str) -> UnexpectedReply:
    return UnexpectedReply(
        f"{output.filename} ({output.size_bytes} bytes) is no whole {kind}: {why.rstrip('.')}."
    )
