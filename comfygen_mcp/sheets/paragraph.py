"""One text and the lines that it can be cut into."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from comfygen_mcp.sheets.bidi import direction_levels, visual_order
from comfygen_mcp.sheets.linebreaks import DOT, may_break
from comfygen_mcp.sheets.pens import Pen, Style
from comfygen_mcp.sheets.scripts import clusters

PenChoice = Callable[[str, Style, str], Pen | None]
ELLIPSIS = "…"
MARK_WIDTH = 0.7
"""Of the mark that stands where no font has the character, in parts of the size."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbours on a line that one pen draws in one direction; *pen* is None for a missing character."""

    text: str
    pen: Pen | None
    leftwards: bool
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its runs from left to right; *leftwards* when its paragraph is written from right to left."""

    runs: tuple[Run, ...]
    leftwards: bool

    @property
    def width(self) -> float:
        return sum(run.width for run in self.runs)

    @property
    def text(self) -> str:
        """What is drawn, run by run from the left."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A cluster, the pen that draws it, and its level of direction (odd: from right to left)."""

    text: str
    pen: Pen | None
    level: int


class Paragraph:
    """*text* in pieces that stay together; *pen_for* names the pen of each."""

    def __init__(self, text: str, style: Style, pen_for: PenChoice) -> None:
        self._style = style
        found = clusters(text)
        self._base, levels = direction_levels(found)
        self._breaks = may_break(found)
        self._pieces: list[_Piece] = []
        before: Pen | None = None
        for cluster, level in zip(found, levels, strict=True):
            # A space is part of the word before it: one run, not three.
            goes_on = cluster == " " and before and before.has_space
            pen = before if goes_on else pen_for(cluster, style, text)
            self._pieces.append(_Piece(cluster, pen, level))
            before = pen
        self._count = len(self._pieces)
        self._ellipsis = _Piece(ELLIPSIS, pen_for(ELLIPSIS, style, text), self._base)

    def lines(self, width: float, most: int) -> tuple[Line, ...]:
        """Return at most *most* lines of *width*, the last with an ellipsis when more would follow."""
        found: list[Line] = []
        start = 0
        while start < self._count and len(found) < most:
            end = self._line_end(start, width)
            if end < self._count and len(found) == most - 1:
                found.append(self._shortened(start, width))
                break
            found.append(self._finished(start, end))
            start = self._after_spaces(end)
        return tuple(found)

    def _line_end(self, start: int, width: float) -> int:
        """Return where a line of *width* that begins at *start* ends, at a good place if there is one."""
        most = self._fitting(start, width)
        if most == self._count:
            return most
        good = [end for end in range(most, start, -1) if self._breaks[end - 1]]
        third = start + (most - start) / 3
        after_dot = (end for end in good if end > third and self._pieces[end - 2].text == DOT)
        return next(after_dot, good[0] if good else most)

    def _finished(self, start: int, end: int) -> Line:
        """Return the pieces from *start* to before *end* as a line, without what only leads on."""
        leads_on = " " if end == self._count else " " + DOT
        return self._line(self._pieces[start : self._before(leads_on, start, end)])

    def _shortened(self, start: int, width: float) -> Line:
        """Return as much as fits from *start*, with an ellipsis behind it."""
        end = self._fitting(start, width - self._width([self._ellipsis]))
        return self._line([*self._pieces[start : self._before(" " + DOT, start, end)], self._ellipsis])

    def _after_spaces(self, place: int) -> int:
        """Return the first place from *place* on that is not a space."""
        while place < self._count and self._pieces[place].text == " ":
            place += 1
        return place

    def _before(self, unwanted: str, start: int, end: int) -> int:
        while end > start and self._pieces[end - 1].text in unwanted:
            end -= 1
        return end

    def _fitting(self, start: int, width: float) -> int:
        """Return the furthest end that fits in *width*, at least one piece on."""
        # No letter is narrower than an eighth of the size, for long: this bounds what is measured.
        low, high = start + 1, min(self._count, start + 8 + round(8 * width / self._style.size))
        while low < high:
            middle = (low + high + 1) // 2
            if self._width(self._pieces[start : self._before(" ", start, middle)]) <= width:
                low = middle
            else:
                high = middle - 1
        return low

    def _width(self, pieces: Sequence[_Piece]) -> float:
        return sum(run.width for run in self._runs(pieces))

    def _line(self, pieces: Sequence[_Piece]) -> Line:
        return Line(runs=self._runs(pieces), leftwards=self._base == 1)

    def _runs(self, pieces: Sequence[_Piece]) -> tuple[Run, ...]:
        """Return *pieces* in runs from left to right; a run's own text stays in reading order."""
        order = visual_order([piece.level for piece in pieces])
        runs = groupby(order, key=lambda place: (pieces[place].pen, pieces[place].level))
        return tuple(
            self._run("".join(pieces[place].text for place in sorted(places)), pen, leftwards=level % 2 == 1)
            for (pen, level), places in runs
        )

    def _run(self, text: str, pen: Pen | None, *, leftwards: bool) -> Run:
        if pen is None:
            width = len(clusters(text)) * self._style.size * MARK_WIDTH
        else:
            width = pen.length(text, leftwards=leftwards)
        return Run(text, pen, leftwards, width)
