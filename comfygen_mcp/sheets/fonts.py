"""Which font draws which character: the shipped one first, then what the machine has."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from comfygen_mcp.sheets.font_files import FontFace, faces_of
from comfygen_mcp.sheets.font_search import system_fonts
from comfygen_mcp.sheets.pens import WEIGHTS
from comfygen_mcp.sheets.scripts import HINTS, flavour_of, script_of

SHIPPED = Path(__file__).parent.parent / "data" / "fonts"
REGULAR, SEMIBOLD = SHIPPED / "Inter-Regular.otf", SHIPPED / "Inter-SemiBold.otf"
SEARCH_S = 3.0
"""What looking through font files may take for one sheet."""
GIVE_UP_AFTER = 8
"""Characters of one script that no font has, after which its others are not looked for."""
SPECIAL = re.compile("bold|black|light|thin|italic|oblique|condensed|narrow|serif|mono")
SECOND_CHOICE = re.compile("serif|mono|mincho|ming|song|myungjo|batang|typewriter")


class Fonts:
    """Faces for text: the shipped ones, then *more* files, then those of the machine if *system*."""

    def __init__(self, more: Sequence[Path] = (), *, system: bool = True, seconds: float = SEARCH_S) -> None:
        self._more = tuple(more)
        self._system = system
        self._seconds_left = seconds
        self._known: dict[tuple[str, str, bool], list[FontFace]] = {}
        self._nowhere: set[str] = set()
        self._failures: Counter[str] = Counter()

    def face_for(self, cluster: str, *, bold: bool = False, text: str = "") -> FontFace | None:
        """Return a face that has *cluster*, None when there is none; *text* around it tells its language."""
        script = script_of(cluster)
        shipped = _shipped(bold=bold)
        if script != "emoji" and shipped.has(cluster):
            return shipped
        if cluster in self._nowhere or self._failures[script] >= GIVE_UP_AFTER:
            return None
        flavour = flavour_of(text or cluster)
        known = self._known.setdefault((script, flavour, bold), [])
        face = next((face for face in known if face.has(cluster)), None)
        if face is None:
            face = self._search(cluster, script, flavour, bold=bold)
            if face is not None:
                known.append(face)
        if face is None and shipped.has(cluster):
            return shipped
        if face is None:
            self._nowhere.add(cluster)
            self._failures[script] += 1 if not known else 0
        return face

    def _search(self, cluster: str, script: str, flavour: str, *, bold: bool) -> FontFace | None:
        started = time.monotonic()
        try:
            for faces in self._in_order(script, started + self._seconds_left):
                able = [face for face in faces if face.has(cluster)]
                if able:
                    return min(able, key=lambda face: _unlike(face, flavour, WEIGHTS[bold]))
            return None
        finally:
            self._seconds_left -= time.monotonic() - started

    def _in_order(self, script: str, until: float) -> Iterator[list[FontFace]]:
        """Yield groups of faces, those whose file is named after the script first; end when time is up."""
        yield [face for path in self._more for face in faces_of(path)]
        if not self._system or time.monotonic() > until:
            return
        hints = HINTS.get(script, (script,))
        groups: dict[int, list[Path]] = {}
        for path in system_fonts():
            groups.setdefault(_rank(path, hints), []).append(path)
        unnamed = groups.pop(len(hints), [])
        for _, paths in sorted(groups.items()):
            yield list(_faces_until(paths, until))
        for face in _faces_until(sorted(unnamed, key=_plainness), until):
            yield [face]


def _shipped(*, bold: bool) -> FontFace:
    return faces_of(SEMIBOLD if bold else REGULAR)[0]


def _faces_until(paths: Iterable[Path], until: float) -> Iterator[FontFace]:
    for path in paths:
        if time.monotonic() > until:
            return
        yield from faces_of(path)


def _rank(path: Path, hints: Sequence[str]) -> int:
    name = re.sub(r"[^a-z0-9]", "", path.stem.lower())
    return next((rank for rank, hint in enumerate(hints) if hint in name), len(hints))


def _plainness(path: Path) -> tuple[bool, bool, str]:
    name = path.stem.lower()
    return "sans" not in name, bool(SPECIAL.search(name)), str(path)


def _unlike(face: FontFace, flavour: str, weight: int) -> tuple[bool, bool, bool, int, str, int]:
    """Return how far *face* is from what a label wants: no serifs, upright, the language, the weight."""
    family = face.family.lower()
    other_language = "cjk" in family and not family.endswith(flavour)
    off = 0 if face.variable else abs(face.weight - weight)
    return (
        *(bool(SECOND_CHOICE.search(family)), face.italic, other_language),
        *(off, str(face.path), face.index),
    )
