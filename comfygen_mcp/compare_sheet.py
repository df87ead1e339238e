"""What the contact sheet of a comparison shows: axes, labels, and for a failed cell why."""

from collections.abc import Mapping
from pathlib import Path

from comfygen_mcp.compare import Attempt, Cell, CellStatus, Comparison
from comfygen_mcp.compare_plan import SINGULAR, labels_along
from comfygen_mcp.sheets.base import CellState, Sheet, SheetCell

LONGEST_ROW = 6
"""Cells of one axis that stand in one labelled row; more are laid out in several."""
LONGEST_REASON = 180
"""Characters of a failure that fit into a cell; compare.json has the whole."""
GONE = "The picture is no longer in the store."

_STATES: Mapping[CellStatus, CellState] = {
    "pending": "pending",
    "running": "pending",
    "done": "done",
    "failed": "failed",
    "cancelled": "skipped",
}
_WITHOUT_PICTURE: Mapping[CellStatus, str] = {
    "pending": "Not made yet.",
    "running": "Not made yet.",
    "done": GONE,
    "cancelled": "Cancelled.",
}


def sheet_of(comparison: Comparison, pictures: Mapping[int, Path | bytes]) -> Sheet:
    """Return the sheet; *pictures* are those of the cells that have one, by the cell's place."""
    last = comparison.last_attempts()
    in_grid = len(comparison.axes) == 2 or _is_one_row(comparison)
    axes = comparison.axes if in_grid else ()
    columns = len(axes) - 1
    return Sheet(
        header=comparison.request.prompt,
        subheader=_subheader(comparison),
        cells=tuple(
            _cell(comparison, place, cell, last.get(place), pictures.get(place))
            for place, cell in enumerate(comparison.cells)
        ),
        column_axis=SINGULAR[axes[columns]] if axes else "",
        column_labels=labels_along(comparison.cells, columns) if axes else (),
        row_axis=SINGULAR[axes[0]] if len(axes) == 2 else "",
        row_labels=labels_along(comparison.cells, 0) if len(axes) == 2 else (),
    )


def first_sentence(error: str) -> str:
    """Return what went wrong, without what to do next: a sheet is looked at later, by anybody."""
    sentence, end, _ = " ".join(error.split()).partition(". ")
    return reason_in_words(sentence + end)


def reason_in_words(error: str) -> str:
    """Return the first sentences of an error, as many as fit into a line or two."""
    words = " ".join(error.split())
    if len(words) <= LONGEST_REASON:
        return words
    sentences = words[:LONGEST_REASON].rpartition(". ")[0]
    return f"{sentences}." if sentences else words[: LONGEST_REASON - 1].rstrip() + "\u2026"


def _is_one_row(comparison: Comparison) -> bool:
    """Tell whether the cells stand in one row under their values; models have their names in the cells."""
    return comparison.axes != ("models",) and len(comparison.cells) <= LONGEST_ROW


def _subheader(comparison: Comparison) -> str:
    """Return what all cells have in common and the cells do not say themselves."""
    request, first = comparison.request, comparison.cells[0]
    shared = {
        "style": request.style,
        "size": request.size,
        "steps": first.steps if "steps" not in comparison.axes else None,
        "cfg": f"{first.cfg:g}" if first.cfg is not None and "cfg" not in comparison.axes else None,
        "preset": first.preset if "presets" not in comparison.axes else None,
        "LoRA": _shared_loras(comparison, first),
        "without": request.negative,
    }
    return " \u00b7 ".join(f"{name} {value}" for name, value in shared.items() if value)


def _shared_loras(comparison: Comparison, first: Cell) -> str | None:
    if "loras" in comparison.axes:
        return None
    strength = "strengths" not in comparison.axes
    return ", ".join(f"{use.name} {use.strength:g}" if strength else use.name for use in first.loras)


def _cell(
    comparison: Comparison, place: int, cell: Cell, attempt: Attempt | None, picture: Path | bytes | None
) -> SheetCell:
    status = comparison.cell_status(place)
    error = attempt.error if attempt is not None and status == "failed" else None
    reason = _WITHOUT_PICTURE.get(status, "It failed.") if error is None else first_sentence(error)
    return SheetCell(
        title=_title(comparison, cell),
        subtitle=_subtitle(cell, attempt),
        picture=picture,
        state="failed" if status == "done" and picture is None else _STATES[status],
        reason="" if picture is not None else reason,
    )


def _title(comparison: Comparison, cell: Cell) -> str:
    """Return the backend, and the cell's value where neither an axis nor the subtitle tells it."""
    told = comparison.axes in (("models",), ("seeds",)) or len(comparison.axes) == 2
    if told or _is_one_row(comparison):
        return cell.backend
    return f"{cell.backend} \u00b7 {SINGULAR[comparison.axes[0]]} {cell.labels[0]}"


def _subtitle(cell: Cell, attempt: Attempt | None) -> str:
    if attempt is None or attempt.latency_ms is None:
        return f"seed {cell.seed}"
    return f"{attempt.latency_ms}ms \u00b7 seed {attempt.seed}"
