"""Draws a contact sheet: the prompt on top, every picture in its place with its label, failures in words."""

from typing import TYPE_CHECKING

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.images import picture_size, small_picture
from comfygen_mcp.sheets import theme
from comfygen_mcp.sheets.base import DrawnSheet, Sheet, SheetCell
from comfygen_mcp.sheets.encode import png, preview
from comfygen_mcp.sheets.fonts import Fonts
from comfygen_mcp.sheets.layout import (
    MIN_CARD,
    Measures,
    arrange,
    card_width_for,
    columns_for,
    content_width,
    edge_for,
    well_for,
)
from comfygen_mcp.sheets.paint import paint_sheet
from comfygen_mcp.sheets.texts import SheetTexts, Stack, TextSetter
from comfygen_mcp.sheets.typeset import MARK, Typesetter

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_CELLS = 256
LABEL_GUESS = 90
"""Height of a usual label, for choosing columns before any is set."""
PANEL_HEIGHT = 210
"""What a cell without a picture needs to say why."""
UNREADABLE = "The stored file cannot be read as a picture."


def draw_sheet(sheet: Sheet, fonts: Fonts | None = None, *, shaping: bool | None = None) -> DrawnSheet:
    """Draw *sheet*; *fonts* are the machine's when not given. Blocking: run it in a thread.

    *shaping* says whether HarfBuzz sets the text; found out when not given.
    """
    _check(sheet)
    cells, pictures = _read(sheet)
    sheet = sheet.model_copy(update={"cells": cells})
    typesetter = Typesetter(fonts or Fonts(), shaping=shaping)
    measures, texts = _measure(sheet, pictures, typesetter)
    image = paint_sheet(sheet, arrange(measures), texts, pictures)
    return DrawnSheet(
        full=png(image),
        preview=preview(image),
        width=image.width,
        height=image.height,
        missing=tuple(typesetter.missing),
        notes=tuple(note.replace(MARK, "\u25c7") for note in texts.notes),
    )


def _check(sheet: Sheet) -> None:
    count = len(sheet.cells)
    if not 0 < count <= MAX_CELLS:
        raise BadRequest(f"A contact sheet shows 1 to {MAX_CELLS} cells, not {count}; make several sheets.")
    columns, rows = len(sheet.column_labels), len(sheet.row_labels)
    if (columns or rows) and count != max(columns, 1) * max(rows, 1):
        raise BadRequest(
            f"A grid of {max(columns, 1)} columns and {max(rows, 1)} rows has "
            f"{max(columns, 1) * max(rows, 1)} cells, not {count}; give one for every place."
        )


def _read(sheet: Sheet) -> "tuple[tuple[SheetCell, ...], list[Image | None]]":
    """Return the cells, and their pictures already small; a cell whose file is damaged says so."""
    sizes = [size for cell in sheet.cells if cell.picture and (size := picture_size(cell.picture))]
    edge = edge_for(len(sheet.cells), sizes)
    cells: list[SheetCell] = []
    pictures: list[Image | None] = []
    for cell in sheet.cells:
        picture = small_picture(cell.picture, edge) if cell.picture else None
        damaged = picture is None and cell.picture is not None and not cell.reason
        cells.append(cell.model_copy(update={"reason": UNREADABLE}) if damaged else cell)
        pictures.append(picture)
    return tuple(cells), pictures


def _measure(
    sheet: Sheet, pictures: "list[Image | None]", typesetter: Typesetter
) -> tuple[Measures, SheetTexts]:
    """Return what the parts need, and the texts wrapped for that."""
    count = len(sheet.cells)
    sizes = [picture.size for picture in pictures if picture]
    well_width, well_height = well_for(edge_for(count, sizes), sizes)
    if None in pictures:
        well_height = max(well_height, PANEL_HEIGHT)
    setter = TextSetter(sheet, typesetter)
    rows = setter.row_heads()
    row_width = _row_width(*rows)
    columns = _columns(sheet, (well_width, well_height))
    card_width = card_width_for(columns, well_width, row_width)
    texts = setter.all(
        rows,
        width=content_width(columns, card_width, row_width),
        well=(card_width, well_height),
        pictured=[picture is not None for picture in pictures],
    )
    label = max(stack.height for stack in texts.labels)
    return Measures(
        count=count,
        columns=columns,
        card_width=card_width,
        well_height=well_height,
        label_height=label and label + 2 * theme.PAD - 2,
        header_height=texts.header.height,
        note_height=texts.note.height,
        column_axis_height=texts.heads.column_axis.height,
        column_head_height=max((stack.height for stack in texts.heads.columns), default=0),
        row_head_width=row_width,
    ), texts


def _row_width(name: Stack, heads: tuple[Stack, ...]) -> int:
    return -int(-max((stack.width for stack in (name, *heads)), default=0) // 1)


def _columns(sheet: Sheet, well: tuple[int, int]) -> int:
    if sheet.column_labels or sheet.row_labels:
        return max(len(sheet.column_labels), 1)
    return columns_for(len(sheet.cells), (max(well[0], MIN_CARD), well[1] + LABEL_GUESS))
