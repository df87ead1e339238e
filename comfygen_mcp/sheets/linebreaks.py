"""Text made ready for a label: cleaned, and with the places where a line may end."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from comfygen_mcp.sheets.font_files import is_joiner
from comfygen_mcp.sheets.scripts import script_of

MAX_CHARACTERS = 3000
"""More than any header shows; what follows is not even looked at."""
NO_BREAK = "\u00a0"
DOT = "\u00b7"
"""Stands between parts of a label: the best place to break it."""
_AFTER = frozenset("-/\\_,;:|&=\u2010\u2013\u2014\u00b7")
_NOT_AT_START = frozenset(".,;:!?%\u2026\u3001\u3002\u3005\u30fb\u30fc\uff01\uff0c\uff0e\uff1a\uff1b\uff1f")
"""Signs that end something, in Latin and in Chinese and Japanese; brackets are told by their category."""
_ANYWHERE = frozenset(("cjk", "thai", "lao", "khmer", "myanmar"))
"""Scripts that are written without spaces."""


def cleaned(text: str) -> str:
    """Return *text* on one line, without control characters and marks that reorder letters.

    Spaces that forbid a line break stay: they hold a number to its unit.
    """
    whole = unicodedata.normalize("NFC", text[:MAX_CHARACTERS])
    kept = "".join(_shown(character) for character in whole)
    return re.sub(" +", " ", kept).strip() + ("…" if len(text) > MAX_CHARACTERS else "")


def may_break(clusters: Sequence[str]) -> list[bool]:
    """Return, for each cluster, whether a line may end behind it."""
    pairs = pairwise(clusters)
    return [*(_between(before, after) for before, after in pairs), True][: len(clusters)]


def _shown(character: str) -> str:
    if character.isspace():
        return character if character == NO_BREAK else " "
    match unicodedata.category(character):
        case "Cc":
            return ""
        case "Cf":
            return character if is_joiner(character) else ""
        case "Cs":
            return "\ufffd"
        case _:
            return character


def _between(before: str, after: str) -> bool:
    if before == " ":
        return True
    if after == " " or _ends_something(after[0]) or unicodedata.category(before[0]) in ("Ps", "Pi"):
        return False
    if before in _AFTER:
        return after[0].isalnum()
    return script_of(before) in _ANYWHERE or script_of(after) in _ANYWHERE


def _ends_something(character: str) -> bool:
    small_kana = " LETTER SMALL " in unicodedata.name(character, "") and "\u3040" <= character <= "\u30ff"
    return small_kana or character in _NOT_AT_START or unicodedata.category(character) in ("Pe", "Pf")
