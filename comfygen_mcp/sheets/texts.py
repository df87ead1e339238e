"""All texts of a sheet, wrapped for the places that they get."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from comfygen_mcp.sheets import theme
from comfygen_mcp.sheets.base import CellState, Sheet, SheetCell
from comfygen_mcp.sheets.notes import notes
from comfygen_mcp.sheets.paragraph import Line
from comfygen_mcp.sheets.pens import Colour, Style
from comfygen_mcp.sheets.shapes import SIGN
from comfygen_mcp.sheets.typeset import Typesetter

STATES: dict[CellState, str] = {
    "done": "No picture",
    "failed": "Failed",
    "skipped": "Skipped",
    "pending": "Not made yet",
}
STATE_COLOURS: dict[CellState, Colour] = {
    "done": theme.MUTED,
    "failed": theme.FAILED,
    "skipped": theme.MUTED,
    "pending": theme.WAITING,
}
MOST_ROW_HEAD = 220
"""Width of the labels at the left of a grid."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one style and colour, one below the other."""

    lines: tuple[Line, ...]
    style: Style
    colour: Colour

    @property
    def height(self) -> int:
        return len(self.lines) * self.style.leading

    @property
    def width(self) -> float:
        return max((line.width for line in self.lines), default=0)


@dataclass(frozen=True, slots=True)
class Stack:
    """Blocks one below the other, with a gap between two of them."""

    blocks: tuple[Block, ...]
    gap: int

    @property
    def height(self) -> int:
        return sum(block.height for block in self.blocks) + self.gap * max(len(self.blocks) - 1, 0)

    @property
    def width(self) -> float:
        return max((block.width for block in self.blocks), default=0)


@dataclass(frozen=True, slots=True)
class Heads:
    """The axes of a grid: names and labels; all empty when the sheet is no grid."""

    column_axis: Stack
    columns: tuple[Stack, ...]
    row_axis: Stack
    rows: tuple[Stack, ...]


@dataclass(frozen=True, slots=True)
class SheetTexts:
    """*panels* are the texts in place of a picture, one per cell."""

    header: Stack
    heads: Heads
    labels: tuple[Stack, ...]
    panels: tuple[Stack, ...]
    note: Stack
    notes: tuple[str, ...]


class TextSetter:
    """Sets the texts of *sheet* with *typesetter*."""

    def __init__(self, sheet: Sheet, typesetter: Typesetter) -> None:
        self._sheet = sheet
        self._typesetter = typesetter

    def row_heads(self) -> tuple[Stack, tuple[Stack, ...]]:
        """Return the row axis' name and its labels; how wide they are decides how wide the sheet is."""
        heads = tuple(self._axis_value(label, MOST_ROW_HEAD) for label in self._sheet.row_labels)
        return self._axis_name(self._sheet.row_axis if heads else "", MOST_ROW_HEAD), heads

    def all(
        self,
        rows: tuple[Stack, tuple[Stack, ...]],
        *,
        width: int,
        well: tuple[int, int],
        pictured: Sequence[bool],
    ) -> SheetTexts:
        """Return all texts for a sheet of *width* between its margins, whose pictures' places are *well*."""
        sheet, card_width = self._sheet, well[0]
        heads = Heads(
            column_axis=self._axis_name(sheet.column_axis if sheet.column_labels else "", width),
            columns=tuple(self._axis_value(label, card_width) for label in sheet.column_labels),
            row_axis=rows[0],
            rows=rows[1],
        )
        header = self._header(width)
        labels = tuple(self._label(cell, card_width - 2 * theme.PAD) for cell in sheet.cells)
        panels = tuple(
            Stack((), 0) if has_picture else self._panel(cell, well)
            for cell, has_picture in zip(sheet.cells, pictured, strict=True)
        )
        said = notes(self._typesetter)
        style = _grown(theme.NOTE, width)
        note = self._stack(*(self._block(text, style, theme.FAINT, width, theme.NOTE_LINES) for text in said))
        return SheetTexts(header, heads, labels, panels, note, said)

    def _header(self, width: int) -> Stack:
        header, subheader = _grown(theme.HEADER, width), _grown(theme.SUBHEADER, width)
        return self._stack(
            self._block(self._sheet.header, header, theme.TEXT, width, theme.HEADER_LINES),
            self._block(self._sheet.subheader, subheader, theme.MUTED, width, theme.SUBHEADER_LINES),
            gap=theme.SMALL_GAP + 2,
        )

    def _label(self, cell: SheetCell, width: int) -> Stack:
        return self._stack(
            self._block(cell.title, theme.TITLE, theme.TEXT, width, theme.TITLE_LINES),
            self._block(cell.subtitle, theme.SUBTITLE, theme.MUTED, width, theme.SUBTITLE_LINES),
            gap=2,
        )

    def _panel(self, cell: SheetCell, well: tuple[int, int]) -> Stack:
        """Return what a cell says in place of its picture: as many lines as its place has room for."""
        width = well[0] - 2 * (theme.PAD + theme.SMALL_GAP)
        state = self._block(STATES[cell.state], theme.STATE, STATE_COLOURS[cell.state], width, 1)
        free = well[1] - 2 * theme.PAD - SIGN - theme.PAD - state.height - theme.SMALL_GAP
        most = max(free // theme.REASON.leading, 1)
        reason = self._typesetter.wrap_evenly(cell.reason, theme.REASON, width=width, most=most)
        return self._stack(state, Block(reason, theme.REASON, theme.MUTED))

    def _axis_name(self, text: str, width: int) -> Stack:
        return self._stack(self._block(text, theme.AXIS, theme.MUTED, width, 2))

    def _axis_value(self, text: str, width: int) -> Stack:
        lines = self._typesetter.wrap_evenly(text, theme.AXIS_VALUE, width=width, most=theme.AXIS_LINES)
        return self._stack(Block(lines, theme.AXIS_VALUE, theme.TEXT))

    def _block(self, text: str, style: Style, colour: Colour, width: int, most: int) -> Block:
        return Block(self._typesetter.wrap(text, style, width=width, most=most), style, colour)

    @staticmethod
    def _stack(*blocks: Block, gap: int = theme.SMALL_GAP) -> Stack:
        return Stack(tuple(block for block in blocks if block.lines), gap)


def _grown(style: Style, width: int) -> Style:
    """Return *style* larger on a sheet that is shown smaller because it is wide."""
    return replace(style, size=round(style.size * min(max(width / theme.WIDE, 1), theme.MOST_GROWN)))
