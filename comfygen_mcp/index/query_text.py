"""What a person types into a search box, as terms; and the words that texts are indexed by.

Texts and queries are cut into the same words, so whatever is a word here is found, in any script, in any
index. Scripts that write no spaces (Chinese, Japanese, Thai, …), Hangul and emoji give one word per
character: a run of them becomes a phrase, which finds it inside longer runs.
"""

import re
import unicodedata
from dataclasses import dataclass

from comfygen_mcp.errors import BadRequest

SHORTEST_BEGINNING = 2
"""Letters that must stand before a `*`: fewer begin so many words that nothing would be narrowed."""

_TERM = re.compile(r'(?P<excluded>-?)(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))(?P<prefix>\*?)')
_TYPED_OTHERWISE = str.maketrans("“”„‟«»\uff02\uff0a", '"""""""*')
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u20d0-\u20ff]+")
"""Accents, Hebrew points, Arabic vowel signs, and marks around symbols: people leave them out."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff"  # Thai, Lao, Myanmar, Khmer
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u31ff"  # jamo, radicals, kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7ff\uf900-\ufaff"  # ideographs, Yi, Hangul
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JOINERS = frozenset("\u00ad\u200c\u200d\u2060\ufeff")
"""Invisible characters inside words, and the glue between the parts of an emoji."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for: *words* one after the other; *prefix*: the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False
    excluded: bool = False


def words_of(text: str) -> list[str]:
    """Return the words of *text*, without case, accents and compatibility forms; none holds a space."""
    if text.isascii():
        return text.lower().translate(_SPACED).split()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", folded)).translate(_SPACED).split()


def terms_of(text: str) -> tuple[Term, ...]:
    """Read words, `"phrases"`, `beginnings*` and `-excluded` ones; everything else is plain text.

    Raises BadRequest when *text* holds characters but no word, and for a beginning of one letter.
    """
    terms = tuple(dict.fromkeys(_terms_in(text.translate(_TYPED_OTHERWISE))))
    if text.strip() and not terms:
        raise BadRequest(
            f"The text {_shown(text)} holds no word to look for. Give a word of the prompt, or no text."
        )
    return terms


def _terms_in(text: str) -> list[Term]:
    return [term for found in _TERM.finditer(text) if (term := _term(found)) is not None]


def _term(found: re.Match[str]) -> Term | None:
    # The greedy word takes its star along; only a phrase leaves it behind.
    typed = found["phrase"] if found["phrase"] is not None else found["word"]
    words = tuple(words_of(typed))
    if not words:
        return None
    prefix = bool(found["prefix"]) or (found["phrase"] is None and typed.endswith("*"))
    if prefix and _is_whole(words[-1]):
        prefix = False
    if prefix and len(words[-1]) < SHORTEST_BEGINNING:
        raise BadRequest(
            f"{_shown(found[0])} begins too many words: give at least {SHORTEST_BEGINNING} letters before "
            "the *, or leave the * out."
        )
    return Term(words, prefix=prefix, excluded=bool(found["excluded"]))


def _is_whole(word: str) -> bool:
    """Tell a word that is always one character: nothing can follow it."""
    return len(word) == 1 and _standing(word) == "alone"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _standing(character: str) -> str:
    """Say how *character* takes part in words: it stands `alone`, `inside` one, is `dropped`, or `parts`."""
    category = unicodedata.category(character)
    if character in _JOINERS or "\ufe00" <= character <= "\ufe0f":
        return "dropped"
    if category == "So" or ord(character) in _SKIN_TONES:
        return "alone"
    if category[0] not in "LNM":
        return "parts"
    return "alone" if _UNSPACED.match(character) else "inside"


class _Spaced(dict[int, str]):
    """A table for str.translate, filled as characters are met: what is no part of a word becomes space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        match _standing(character):
            case "alone":
                spaced = f" {character} "
            case "inside":
                spaced = character
            case "dropped":
                spaced = ""
            case _:
                spaced = " "
        self[code] = spaced
        return spaced


_SPACED = _Spaced()
