"""The report for people: a table, and what was left behind."""

from typing import TYPE_CHECKING

from comfygen_mcp.interop.findings import Report, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_COLOURS = {"ok": "green", "failed": "bold red", "skipped": "yellow"}
_LONGEST = 240
"""Longer details are cut in the table; the log has them whole."""


def show(report: Report, console: "Console") -> None:
    """Print *report*."""
    console.print(_table(report))
    console.print()
    counts = ", ".join(f"{report.count(result)} {result}" for result in ("ok", "failed", "skipped"))
    console.print(f"{report.server}: {counts}", soft_wrap=True)
    _list("Left in the server's output folder", report.outputs, console)
    _list("Left in the server's input folder", report.inputs, console)
    console.print(f"Log: {report.log}", soft_wrap=True)


def _table(report: Report) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("result")
    table.add_column("detail", overflow="fold")
    table.add_column("ms", justify="right")
    for verdict in report.verdicts:
        colour = _COLOURS[verdict.result]
        table.add_row(Text(verdict.check), Text(verdict.result, colour), Text(_cut(verdict)), str(verdict.ms))
    return table


def _cut(verdict: Verdict) -> str:
    words = " ".join(verdict.detail.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _list(title: str, files: tuple[str, ...], console: "Console") -> None:
    if files:
        console.print(f"{title} ({len(files)} files):", soft_wrap=True)
        for file in files:
            console.print(f"  {file}", markup=False, soft_wrap=True)
