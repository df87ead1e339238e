"""What the words say of flowers: which, how many, of what colour."""

from dataclasses import dataclass

from comfygen_mcp.engine.renderer.colour import NAMED, Rgb
from comfygen_mcp.engine.renderer.words import colour_before, matches

MOST = 7
KINDS = {
    "tulip": "tulip", "rose": "rose peony", "sunflower": "sunflower",
    "daisy": "daisy flower blossom bloom lily bouquet wildflower poppy",
}  # fmt: skip
COLOURS: dict[str, Rgb] = {
    "tulip": (0.87, 0.2, 0.22), "rose": NAMED["crimson"], "sunflower": (0.97, 0.74, 0.12),
    "daisy": (0.92, 0.36, 0.5),
}  # fmt: skip
NUMBERS = {
    word: count
    for count, words in enumerate(
        ("one 1 single", "two 2 pair couple", "three 3", "four 4", "five 5", "six 6", "seven 7 dozen"), 1
    )
    for word in words.split()
}
SOME = 3
"""So many are shown where the words say that there are several."""


@dataclass(frozen=True)
class Bouquet:
    kind: str
    count: int
    colour: Rgb


def bouquet_of(found: list[str], without: frozenset[str] = frozenset()) -> Bouquet | None:
    """Return the flowers that the words name first; None where they name none."""
    kinds = matches(found, KINDS, without)
    if not kinds:
        return None
    names = KINDS[kinds[0]].split()
    place = next(at for at, word in enumerate(found) if matches([word], KINDS, without))
    return Bouquet(kinds[0], _count(found, place), colour_before(found, names) or COLOURS[kinds[0]])


def _count(found: list[str], place: int) -> int:
    """Return the number named shortly before the flowers, else whether they are one or several."""
    numbers = [NUMBERS[word] for word in found[max(0, place - 3) : place] if word in NUMBERS]
    if numbers:
        return numbers[-1]
    if found[place] == "bouquet":
        return MOST
    return SOME if found[place].endswith("s") else 1
