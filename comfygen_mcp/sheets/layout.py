"""Where everything on a sheet stands: geometry alone, in pixels."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comfygen_mcp.sheets.theme import GAP, MARGIN, SMALL_GAP

HEADER_GAP = GAP + GAP // 2
MAX_EDGE, MIN_EDGE = 512, 248
"""Longest edge of a picture on a sheet of few and of very many."""
ALONE_EDGE = 768
PICTURE_AREA = 3_600_000
"""Pixels that all pictures of a sheet may take together: 24 of them get an edge of 387."""
MOST_ENLARGED = 2
MIN_CARD = MIN_EDGE
"""A label needs this width to be read."""
MIN_WIDTH = 720
"""A header needs this width."""
FLATTEST = 0.4
"""Height to width (or width to height) of a picture's place, however long the pictures are."""
BEST_SHAPE = 1.45
"""Width to height of a sheet: a little wider than high fits screens and chats."""
SIDE_BY_SIDE = 3
"""So many pictures are easiest to compare in one row."""


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def inset(self, by: int) -> "Box":
        return Box(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One cell: *card* is all of it, *well* the picture's place at its top, *label* the rest."""

    card: Box
    well: Box
    label: Box


@dataclass(frozen=True, slots=True)
class Measures:
    """What the parts of a sheet need; a height or width of 0 leaves the part out."""

    count: int
    columns: int
    card_width: int
    well_height: int
    label_height: int
    header_height: int
    note_height: int = 0
    column_axis_height: int = 0
    column_head_height: int = 0
    row_head_width: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Places on a sheet of *width* x *height*; heads are those of a grid's axes."""

    width: int
    height: int
    header: Box
    cells: tuple[CellPlan, ...]
    column_axis: Box
    column_heads: tuple[Box, ...]
    row_heads: tuple[Box, ...]
    corner: Box
    """Above the row heads, beside the column heads."""
    note: Box


def edge_for(count: int, sizes: Iterable[tuple[int, int]]) -> int:
    """Return the longest edge of pictures on a sheet of *count*: less for more, and never much enlarged."""
    longest = max((max(size) for size in sizes), default=MAX_EDGE)
    room = math.isqrt(PICTURE_AREA // max(count, 1))
    most = MAX_EDGE if count > 1 else ALONE_EDGE
    return max(min(most, room, longest * MOST_ENLARGED), MIN_EDGE)


def well_for(edge: int, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the smallest place that holds each of *sizes* when its longest edge is *edge*."""
    shapes = [(width / max(width, height), height / max(width, height)) for width, height in sizes]
    wide, high = (max(part) for part in zip(*shapes, strict=True)) if shapes else (1.0, 0.75)
    return round(edge * max(wide, FLATTEST)), round(edge * max(high, FLATTEST))


def columns_for(count: int, card: tuple[int, int]) -> int:
    """Return the number of columns that gives a sheet of *count* cards a good shape and a full last row."""
    if count <= SIDE_BY_SIDE and card[0] <= card[1] * 1.6:
        return count

    def badness(columns: int) -> float:
        rows = -(-count // columns)
        shape = columns * (card[0] + GAP) / (rows * (card[1] + GAP))
        empty = rows * columns - count
        return abs(math.log(shape / BEST_SHAPE)) + 1.5 * empty / count

    return min(range(1, count + 1), key=badness)


def card_width_for(columns: int, well_width: int, row_head_width: int = 0) -> int:
    """Return the width of a card: its picture's, or more when labels or the header need it."""
    side = row_head_width + GAP if row_head_width else 0
    free = MIN_WIDTH - 2 * MARGIN - side - (columns - 1) * GAP
    return max(well_width, MIN_CARD, -(-free // columns))


def content_width(columns: int, card_width: int, row_head_width: int = 0) -> int:
    """Return the width between the margins."""
    side = row_head_width + GAP if row_head_width else 0
    return side + columns * card_width + (columns - 1) * GAP


def arrange(needs: Measures) -> Plan:
    """Return where everything stands: header, heads, cells in rows, note, from the top."""
    side = needs.row_head_width + GAP if needs.row_head_width else 0
    width = content_width(needs.columns, needs.card_width, needs.row_head_width)
    header = Box(MARGIN, MARGIN, width, needs.header_height)
    axis = Box(MARGIN + side, _below(header, HEADER_GAP), width - side, needs.column_axis_height)
    heads = _below(axis, SMALL_GAP)
    corner = Box(MARGIN, heads, needs.row_head_width, needs.column_head_height)
    first = _below(corner, GAP // 2)
    cells = tuple(_cell(needs, place, MARGIN + side, first) for place in range(needs.count))
    note_top = cells[-1].card.bottom + (GAP if needs.note_height else 0)
    note = Box(MARGIN, note_top, width, needs.note_height)
    return Plan(
        width=width + 2 * MARGIN,
        height=note.bottom + MARGIN,
        header=header,
        cells=cells,
        column_axis=axis,
        column_heads=tuple(
            Box(cell.card.x, heads, cell.card.width, needs.column_head_height)
            for cell in cells[: needs.columns]
        ),
        row_heads=tuple(
            Box(MARGIN, cell.well.y, needs.row_head_width, cell.well.height)
            for cell in cells[:: needs.columns]
        ),
        corner=corner,
        note=note,
    )


def fitted(size: tuple[int, int], well: Box) -> Box:
    """Return where a picture of *size* stands in *well*: whole, in the middle, at most doubled."""
    scale = min(well.width / size[0], well.height / size[1], MOST_ENLARGED)
    width, height = (max(round(edge * scale), 1) for edge in size)
    width, height = min(width, well.width), min(height, well.height)
    return Box(well.x + (well.width - width) // 2, well.y + (well.height - height) // 2, width, height)


def _below(box: Box, gap: int) -> int:
    """Return where the next thing starts: a part that is left out takes no gap either."""
    return box.bottom + gap if box.height else box.y


def _cell(needs: Measures, place: int, left: int, top: int) -> CellPlan:
    row, column = divmod(place, needs.columns)
    height = needs.well_height + needs.label_height
    x, y = left + column * (needs.card_width + GAP), top + row * (height + GAP)
    return CellPlan(
        card=Box(x, y, needs.card_width, height),
        well=Box(x, y, needs.card_width, needs.well_height),
        label=Box(x, y + needs.well_height, needs.card_width, needs.label_height),
    )
