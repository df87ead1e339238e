"""Tables for people: names are never cut, and what does not fit the terminal stands below its row."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache

from comfygen_mcp.models import RequiredFile

_GAP = "  "
_INDENT = "    "
_NARROWEST = 24
"""A last column with at least this room is wrapped in its place; with less it goes below."""


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print *rows* without a frame: one line each where it is no terminal that reads them."""
    from rich.console import Console
    from rich.text import Text

    head, *lines = table_lines(columns, list(rows), _width())
    console = Console()
    console.print(Text(head, style="bold"), soft_wrap=True)
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return header and rows in lines of at most *width*, as far as the names allow; None is no limit."""
    columns, rows = _filled(columns, [[_printable(cell) for cell in row] for row in rows])
    widths = [max(map(_cells, column)) for column in zip(columns, *rows, strict=True)]
    if width is None or _total(widths) <= width:
        return [_line(line, widths) for line in (columns, *rows)]
    room = width - _total(widths[:-1]) - len(_GAP)
    if len(columns) > 1 and room >= _NARROWEST:
        return _with_wrapped_last(columns, rows, widths, room)
    beside = next((n for n in range(len(columns), 1, -1) if _total(widths[:n]) <= width), 1)
    lines = [_line(columns[:beside], widths)]
    for row in rows:
        lines.append(_line(row[:beside], widths))
        lines += _below(columns[beside:], row[beside:], width)
    return lines


def show_reasons(reasons: Iterable[tuple[str, str]]) -> None:
    """Print each reason once, with the names it is about."""
    from rich.console import Console
    from rich.text import Text

    names: dict[str, list[str]] = {}
    for name, reason in reasons:
        if reason:
            names.setdefault(reason, []).append(name)
    console = Console()
    for reason, about in names.items():
        console.print(Text(f"\n{_some(about)}: {reason}"), soft_wrap=True)


def show_missing(missing: Iterable[tuple[str, Sequence[RequiredFile]]]) -> None:
    """Print which files each name lacks, and how to learn where they are to be had."""
    from rich.console import Console
    from rich.text import Text

    names: dict[str, list[str]] = {}
    for name, files in missing:
        if files:
            names.setdefault(", ".join(f"{file.folder}/{file.file}" for file in files), []).append(name)
    console = Console()
    for files, about in names.items():
        console.print(Text(f"\n{', '.join(about)}: not installed", style="bold"), soft_wrap=True)
        for line in _indented(files, _width()):
            console.print(Text(line), soft_wrap=True)
    if names:
        console.print(Text("\n`comfygen models NAME` tells where to download them."), soft_wrap=True)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _width() -> int | None:
    """Return the columns of the terminal that reads this; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _filled(
    columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return the table without the columns that are empty in every row."""
    kept = [at for at in range(len(columns)) if not rows or at == 0 or any(row[at] for row in rows)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _with_wrapped_last(
    columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], room: int
) -> list[str]:
    lines = [_line(columns, widths)]
    for row in rows:
        first, *more = _wrapped(row[-1], room) or [""]
        lines.append(_line([*row[:-1], first], widths))
        lines += [" " * (_total(widths[:-1]) + len(_GAP)) + rest for rest in more]
    return lines


def _below(columns: Sequence[str], cells: Sequence[str], width: int) -> list[str]:
    told = [f"{name}: {cell}" for name, cell in zip(columns, cells, strict=True) if cell]
    return _indented("; ".join(told), width)


def _indented(text: str, width: int | None) -> list[str]:
    if width is None:
        return [_INDENT + text]
    return [_INDENT + line for line in _wrapped(text, max(width - len(_INDENT), _NARROWEST))]


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - _cells(cell)) for cell, width in zip(cells, widths, strict=False)]
    return _GAP.join(padded).rstrip()


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * max(len(widths) - 1, 0)


@cache
def _cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes: signs of some scripts take two."""
    from rich.cells import cell_len

    return cell_len(text)


def _printable(text: str) -> str:
    """Return *text* on one line; file names of servers may hold anything, orders to the terminal too."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
