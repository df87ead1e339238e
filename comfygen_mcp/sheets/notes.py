"""What a sheet has to say about itself: characters and joins that this machine's fonts could not draw."""

from collections.abc import Iterable

from comfygen_mcp.sheets.scripts import script_of
from comfygen_mcp.sheets.typeset import MARK, Typesetter

NAMED = 4
"""Missing characters that are named; of the rest only the number is told."""
SCRIPTS = {"cjk": "Chinese or Japanese", "hangul": "Korean", "emoji": "emoji", "symbol": "symbols"}
FONTS = {"cjk": "Noto Sans CJK", "hangul": "Noto Sans CJK", "emoji": "Noto Color Emoji"}
UNJOINED = (
    "Letters that join in writing (Arabic, Devanagari and others) stand apart here: "
    "FriBiDi is not installed (on Debian: libfribidi0)."
)


def notes(typesetter: Typesetter) -> tuple[str, ...]:
    """Return one sentence or two for each thing that *typesetter* could not do."""
    found: list[str] = []
    if typesetter.missing:
        found.append(_missing(typesetter.missing))
    if typesetter.unjoined:
        found.append(UNJOINED)
    return tuple(found)


def _missing(characters: Iterable[str]) -> str:
    all_of_them = tuple(characters)
    scripts = tuple(dict.fromkeys(script_of(each) for each in all_of_them))
    points = [" ".join(f"U+{ord(c):04X}" for c in each) for each in all_of_them[:NAMED]]
    more = f" and {len(all_of_them) - NAMED} more" if len(all_of_them) > NAMED else ""
    kinds = ", ".join(SCRIPTS.get(script, script.capitalize()) for script in scripts[:NAMED])
    *fonts, last = dict.fromkeys(FONTS.get(script, "Noto Sans") for script in scripts[:NAMED])
    advice = f"{', '.join(fonts)} and {last}" if fonts else last
    return (
        f"{MARK} stands for a character that no font on this machine has: "
        f"{kinds} ({', '.join(points)}{more}). Fonts like {advice} have them."
    )
