"""Paints the parts of a sheet where the layout puts them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from comfygen_mcp.sheets import theme
from comfygen_mcp.sheets.base import Sheet, SheetCell
from comfygen_mcp.sheets.layout import Box, Plan, fitted
from comfygen_mcp.sheets.shapes import SIGN, checked, paint_sign, round_corners
from comfygen_mcp.sheets.texts import STATE_COLOURS, Heads, SheetTexts, Stack
from comfygen_mcp.sheets.typeset import paint

if TYPE_CHECKING:
    from PIL.Image import Image

Align = Literal["start", "middle", "end"]


def paint_sheet(sheet: Sheet, plan: Plan, texts: SheetTexts, pictures: "Sequence[Image | None]") -> "Image":
    """Return the whole sheet."""
    from PIL import Image

    image = Image.new("RGB", (plan.width, plan.height), theme.PAGE)
    _paint_stack(image, plan.header, texts.header)
    _paint_heads(image, plan, texts.heads)
    cells = zip(sheet.cells, plan.cells, pictures, texts.labels, texts.panels, strict=True)
    for cell, place, picture, label, panel in cells:
        image.paste(theme.CARD, _corners(place.card))
        if picture:
            _paint_picture(image, place.well, picture)
        else:
            _paint_panel(image, place.well, cell, panel)
        if place.label.height:
            _paint_stack(image, place.label.inset(theme.PAD), label)
        round_corners(image, place.card, theme.PAGE)
    _paint_stack(image, plan.note, texts.note)
    return image


def _paint_picture(image: "Image", well: Box, picture: "Image") -> None:
    from PIL import Image

    image.paste(theme.WELL, _corners(well))
    place = fitted(picture.size, well)
    shown = picture.resize((place.width, place.height), Image.Resampling.LANCZOS)
    if shown.mode == "RGBA":
        ground = checked(shown.size)
        ground.paste(shown, (0, 0), shown)
        shown = ground
    image.paste(shown, (place.x, place.y))


def _paint_panel(image: "Image", well: Box, cell: SheetCell, panel: Stack) -> None:
    """Say in the middle of *well* why there is no picture."""
    image.paste(theme.WELL_FAILED if cell.state == "failed" else theme.WELL, _corners(well))
    top = well.y + (well.height - SIGN - theme.PAD - panel.height) // 2
    paint_sign(image, (well.x + well.width // 2, top + SIGN // 2), cell.state, STATE_COLOURS[cell.state])
    below = top + SIGN + theme.PAD
    _paint_stack(image, Box(well.x, below, well.width, panel.height), panel, align="middle")


def _paint_heads(image: "Image", plan: Plan, heads: Heads) -> None:
    _paint_stack(image, plan.column_axis, heads.column_axis, align="middle")
    if heads.column_axis.blocks:
        _paint_rules(image, plan.column_axis, heads.column_axis.width)
    for place, head in zip(plan.column_heads, heads.columns, strict=False):
        _paint_stack(image, _lowered(place, head), head, align="middle")
    _paint_stack(image, _lowered(plan.corner, heads.row_axis), heads.row_axis, align="end")
    for place, head in zip(plan.row_heads, heads.rows, strict=False):
        y = place.y + (place.height - head.height) // 2
        _paint_stack(image, Box(place.x, y, place.width, head.height), head, align="end")


def _paint_rules(image: "Image", box: Box, width: float) -> None:
    """Draw a thin line at either side of a centred axis name: this far reaches the axis."""
    free, y = round((box.width - width) / 2) - theme.PAD, box.y + box.height // 2
    if free > 0:
        image.paste(theme.RULE, (box.x, y, box.x + free, y + 1))
        image.paste(theme.RULE, (box.right - free, y, box.right, y + 1))


def _lowered(box: Box, stack: Stack) -> Box:
    """Return the lower part of *box* that *stack* fills."""
    return Box(box.x, box.bottom - stack.height, box.width, stack.height)


def _paint_stack(image: "Image", box: Box, stack: Stack, *, align: Align = "start") -> None:
    y = box.y
    for block in stack.blocks:
        for line in block.lines:
            free = box.width - line.width
            at_right = align == "end" or (align == "start" and line.leftwards)
            x = box.x + (free / 2 if align == "middle" else free if at_right else 0)
            paint(image, (x, y), line, block.style, block.colour)
            y += block.style.leading
        y += stack.gap


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.x, box.y, box.right, box.bottom
