"""What a piece of text needs from a font: its script, and the names of font files that usually have it."""

import re
import unicodedata
from functools import lru_cache

from comfygen_mcp.sheets.font_files import is_joiner

_CJK = ("cjk", "sourcehan", "pingfang", "hiragino", "yahei", "heiti", "wqy", "yugoth", "msgothic", "meiryo")
_CJK_OLD = ("droidsansfallback", "simhei", "simsun", "songti", "stheiti", "ipag", "takao", "arialunicode")
HINTS: dict[str, tuple[str, ...]] = {
    "emoji": ("coloremoji", "emoji"),
    "symbol": ("symbol", "emoji", "dejavusans", "math"),
    "cjk": (*_CJK, *_CJK_OLD),
    "hangul": (
        "cjk",
        "sourcehan",
        "malgun",
        "nanum",
        "applesdgothic",
        "applegothic",
        "gulim",
        "arialunicode",
    ),
    "arabic": ("sansarabic", "naskh", "arabic", "geeza", "segoeui", "tahoma", "dejavusans", "arial"),
    "hebrew": ("sanshebrew", "hebrew", "segoeui", "tahoma", "dejavusans", "arial"),
}
"""Parts of file names (small letters, no signs), the best first; other scripts go by their own name."""
_IDEOGRAPHIC = frozenset(("cjk", "hiragana", "katakana", "ideographic", "bopomofo", "halfwidth", "fullwidth"))
_JOINED = re.compile(
    "[\u0600-\u077f\u07c0-\u07ff\u0840-\u085f\u08a0-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\ua87f]"
)
"""Scripts whose letters change with their neighbours: Arabic and its kin, India's, Tibetan, Khmer."""


def script_of(cluster: str) -> str:
    """Return the script of a grapheme cluster: "latin", "cjk", "arabic", "emoji", "symbol" and so on."""
    first = cluster[0]
    if "\ufe0f" in cluster or 0x1F000 <= ord(first) <= 0x1FAFF:
        return "emoji"
    word = unicodedata.name(first, "unknown").split(" ")[0].split("-")[0].lower()
    if word in _IDEOGRAPHIC or "\u3000" <= first <= "\u303f":
        return "cjk"
    return word if unicodedata.category(first)[0] in "LM" else "symbol"


@lru_cache(maxsize=64)  # asked for every character of a text
def flavour_of(text: str) -> str:
    """Return whose forms of Chinese characters *text* wants: "jp", "kr" or "sc"."""
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return "jp"
    return "kr" if any("\uac00" <= c <= "\ud7a3" for c in text) else "sc"


def needs_joining(text: str) -> bool:
    """Say whether *text* is only right when a shaping library draws it."""
    return _JOINED.search(text) is not None


def needs_shaping(character: str) -> bool:
    """Say whether *character* only changes its neighbour: drawn by itself it would be a box."""
    return is_joiner(character) or _is_skin_tone(character)


def clusters(text: str) -> list[str]:
    """Return *text* in pieces that stay together: a letter and its accents, an emoji of several parts."""
    found: list[str] = []
    for character in text:
        if found and _continues(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(before: str, character: str) -> bool:
    if is_joiner(character) or unicodedata.category(character) in ("Mn", "Me", "Mc"):
        return not before.isspace()
    if _is_skin_tone(character):
        return script_of(before) == "emoji"
    if before[-1] == "\u200d":
        return script_of(before) in ("emoji", "symbol") and unicodedata.category(character) == "So"
    return _is_region(character) and len(before) == 1 and _is_region(before)


def _is_skin_tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"


def _is_region(character: str) -> bool:
    """Say whether *character* is half of a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"
