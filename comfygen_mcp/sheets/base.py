"""What a contact sheet shows, before anything is drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from comfygen_mcp.models import Record

PREVIEW_MAX_BYTES = 200_000
"""Bytes of the small form that an agent is shown."""

CellState: TypeAlias = Literal["done", "failed", "skipped", "pending"]


class SheetCell(Record):
    """One cell: *title* and *subtitle* stand below the picture; a cell without one says *reason*.

    *picture* is the encoded file, or a path to it.
    """

    title: str
    subtitle: str = ""
    picture: Path | bytes | None = None
    state: CellState = "done"
    reason: str = ""


class Sheet(Record):
    """A sheet: *cells* in reading order; with *column_labels* (and *row_labels*) a grid with labelled axes.

    A grid has len(row_labels) x len(column_labels) cells, row by row; *row_labels* may be empty (one row).
    *column_axis* and *row_axis* name the axes ("steps", "LoRA strength").
    """

    header: str
    subheader: str = ""
    cells: tuple[SheetCell, ...]
    column_axis: str = ""
    row_axis: str = ""
    column_labels: tuple[str, ...] = ()
    row_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawnSheet:
    """The drawn sheet: *full* as PNG, *preview* as WebP of at most 200 kB.

    *missing* are characters for which no font was found; *notes* are the sheet's footnotes, which say so.
    """

    full: bytes
    preview: bytes
    width: int
    height: int
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
