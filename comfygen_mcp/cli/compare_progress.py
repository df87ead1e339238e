"""Live progress of a comparison: a bar that counts cells, and a line for each that has ended."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.compare_folder import ComparisonFolder
from comfygen_mcp.compare import Attempt, Comparison
from comfygen_mcp.compare_sheet import reason_in_words
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.compare_attendance import progress_of
from comfygen_mcp.tools.compare_views import cell_name

if TYPE_CHECKING:
    from rich.progress import Progress


async def followed(app: App, begun: ComparisonState, folder: ComparisonFolder) -> ComparisonState:
    """Return the last state after *begun*; *folder* is brought up to date after every cell.

    What had ended before, in the run that is resumed, was told then.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    told = {_key(attempt) for attempt in begun.comparison.attempts if attempt.status != "running"}
    state = begun
    if done := begun.count("done"):
        typer.echo(f"{done} of {len(begun.comparison.cells)} cells are done already", err=True)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=float(len(state.comparison.cells)))
        async for state in app.comparisons.watch(begun.comparison.id):
            made, words = progress_of(state)
            bar.update(task, completed=made, description=words[:100])
            ended = [a for a in state.comparison.attempts if a.status != "running"]
            fresh = [attempt for attempt in ended if _key(attempt) not in told]
            if fresh or state.finished:
                told.update(map(_key, fresh))
                _tell(bar, state.comparison, fresh)
                await folder.update(state.comparison)
    return state


def _key(attempt: Attempt) -> tuple[int, datetime]:
    """Return what tells attempts apart: those that failed early have no job."""
    return attempt.cell, attempt.started_at


def _tell(bar: "Progress", comparison: Comparison, attempts: list[Attempt]) -> None:
    from rich.text import Text

    for attempt in attempts:
        name = cell_name(comparison, comparison.cells[attempt.cell])
        bar.console.print(Text(f"{name}: {_outcome(attempt)}"), soft_wrap=True)


def _outcome(attempt: Attempt) -> str:
    if attempt.status == "done":
        return f"{attempt.latency_ms} ms, seed {attempt.seed}"
    return f"{attempt.status}: {reason_in_words(attempt.error or '')}"
