"""How well an entry answers a text: which words it holds, how often, and where."""

from collections.abc import Sequence

from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.query_text import Term, words_of

CANDIDATES = 1_000
"""The newest matches that are ranked; ranking all matches of a common word would take seconds."""

_SATURATION, _LENGTH, _USUAL_WORDS = 1.2, 0.5, 30
_PROMPT, _TAGS, _NEGATIVE = 4.0, 6.0, 0.5


def relevance(terms: Sequence[Term], entry: Entry) -> float:
    """Return a number that is higher the better *entry* answers: BM25 without the rarity of words.

    Every match holds every word, so that rarity would only weigh one repetition against another.
    """
    fields = (
        (_PROMPT, words_of(entry.prompt)),
        (_TAGS, [word for tag in entry.tags for word in words_of(tag)]),
        (_NEGATIVE, words_of(entry.negative_prompt)),
    )
    wanted = [term for term in terms if not term.excluded]
    return sum(weight * _field_score(wanted, words) for weight, words in fields if words)


def _field_score(terms: Sequence[Term], words: Sequence[str]) -> float:
    length = 1 - _LENGTH + _LENGTH * len(words) / _USUAL_WORDS
    found = (_occurrences(term, words) for term in terms)
    return sum(times / (times + _SATURATION * length) for times in found)


def _occurrences(term: Term, words: Sequence[str]) -> int:
    if len(term.words) == 1 and not term.prefix:
        return words.count(term.words[0])
    *begin, last = term.words
    size = len(term.words)
    return sum(
        1
        for start in range(len(words) - size + 1)
        if (words[start + size - 1].startswith(last) if term.prefix else words[start + size - 1] == last)
        and list(words[start : start + size - 1]) == begin
    )
