"""Tables for people: names are never cut, and a long reason stands once below, not in a narrow column."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print *rows* without a frame; what does not fit goes on in the next line."""
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def show_reasons(reasons: Iterable[tuple[str, str]]) -> None:
    """Print each reason once, with the names it is about."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons:
        if reason:
            names.setdefault(reason, []).append(name)
    console = Console()
    for reason, about in names.items():
        console.print(Text(f"\n{', '.join(about)}: {reason}"), soft_wrap=True)
