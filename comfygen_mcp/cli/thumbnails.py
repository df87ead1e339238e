"""Small pictures in a terminal: by its own protocol where it has one, else in half blocks of true colour."""

import base64
import io
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image

Way: TypeAlias = Literal["kitty", "iterm2", "blocks", "none"]

COLUMNS = 32
ROWS = 12
"""The cells of a terminal that a picture may take; a cell is about twice as high as wide."""
_EDGE = 256
_KITTY_CHUNK = 4096
"""The protocol's largest piece of base64."""
_UPPER = "\N{UPPER HALF BLOCK}"
"""Its upper half has the colour of the text, its lower half that of the background."""
_ITERM = ("iTerm.app", "WezTerm", "mintty", "vscode")
_KITTY = ("ghostty",)


def way_to_show(environ: Mapping[str, str], *, terminal: bool) -> Way:
    """Return how the terminal that *environ* tells of can show pictures; none where nobody looks."""
    if not terminal or environ.get("TERM") == "dumb" or "NO_COLOR" in environ:
        return "none"
    if environ.get("TMUX") or environ.get("STY"):
        # A multiplexer swallows the protocols' sequences; colours it knows.
        return "blocks" if _true_colour(environ) else "none"
    program = environ.get("TERM_PROGRAM", "")
    if environ.get("KITTY_WINDOW_ID") or environ.get("TERM") == "xterm-kitty" or program in _KITTY:
        return "kitty"
    if program in _ITERM:
        return "iterm2"
    return "blocks" if _true_colour(environ) else "none"


def here() -> Way:
    """Return how this terminal can show pictures."""
    from comfygen_mcp.config import read_environment

    return way_to_show(read_environment(), terminal=sys.stdout.isatty())


def thumbnail_text(data: bytes, way: Way, *, columns: int = COLUMNS, rows: int = ROWS) -> str:
    """Return what shows the picture *data* when it is written to the terminal; "" for what is no picture."""
    from PIL import Image

    from comfygen_mcp.images import small_picture

    picture = None if way == "none" else small_picture(data, _EDGE)
    if picture is None:
        return ""
    picture = picture.convert("RGBA")
    back = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    flat = Image.alpha_composite(back, picture).convert("RGB")
    cells = _cells(flat.size, columns, rows)
    match way:
        case "kitty":
            return "".join(_kitty(_png(flat), *cells)) + "\n"
        case "iterm2":
            return _iterm2(_png(flat), *cells) + "\n"
        case _:
            return "\n".join(_blocks(flat, *cells)) + "\n"


def _cells(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Return the columns and rows that a picture of *size* fills without being distorted."""
    scale = min(columns / size[0], 2 * rows / size[1])
    return max(round(size[0] * scale), 1), max(round(size[1] * scale / 2), 1)


def _true_colour(environ: Mapping[str, str]) -> bool:
    return environ.get("COLORTERM", "").casefold() in {"truecolor", "24bit"}


def _kitty(png: bytes, columns: int, rows: int) -> Iterator[str]:
    text = base64.b64encode(png).decode("ascii")
    pieces = [text[at : at + _KITTY_CHUNK] for at in range(0, len(text), _KITTY_CHUNK)]
    for number, piece in enumerate(pieces):
        more = int(number < len(pieces) - 1)
        # q=2: the terminal does not answer, for nobody reads what it would say.
        keys = f"a=T,f=100,q=2,c={columns},r={rows},m={more}" if number == 0 else f"m={more}"
        yield f"\x1b_G{keys};{piece}\x1b\\"


def _iterm2(png: bytes, columns: int, rows: int) -> str:
    text = base64.b64encode(png).decode("ascii")
    size = f"width={columns};height={rows};preserveAspectRatio=1"
    return f"\x1b]1337;File=inline=1;size={len(png)};{size}:{text}\a"


def _blocks(picture: "Image", columns: int, rows: int) -> Iterator[str]:
    small = picture.resize((columns, rows * 2))
    for row in range(rows):
        cells = [(_colour(small, (x, 2 * row)), _colour(small, (x, 2 * row + 1))) for x in range(columns)]
        yield "".join(f"\x1b[38;2;{upper}m\x1b[48;2;{lower}m{_UPPER}" for upper, lower in cells) + "\x1b[0m"


def _colour(picture: "Image", place: tuple[int, int]) -> str:
    pixel = picture.getpixel(place)
    return ";".join(map(str, pixel)) if isinstance(pixel, tuple) else "0;0;0"


def _png(picture: "Image") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
