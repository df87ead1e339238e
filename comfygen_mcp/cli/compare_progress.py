"""Live progress of a comparison: a bar that counts cells, and a line for each that has ended."""

from typing import TYPE_CHECKING

from comfygen_mcp.app import App
from comfygen_mcp.cli.compare_folder import ComparisonFolder
from comfygen_mcp.compare import Attempt, Comparison
from comfygen_mcp.compare_sheet import reason_in_words
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.compare_attendance import progress_of
from comfygen_mcp.tools.compare_views import cell_name

if TYPE_CHECKING:
    from rich.progress import Progress


async def followed(app: App, comparison_id: str, folder: ComparisonFolder) -> ComparisonState:
    """Return the last state; *folder* is brought up to date after every cell."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    told: set[tuple[int, str | None]] = set()
    state = await app.comparisons.find(comparison_id)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=float(len(state.comparison.cells)))
        async for state in app.comparisons.watch(comparison_id):
            made, words = progress_of(state)
            bar.update(task, completed=made, description=words[:100])
            ended = [a for a in state.comparison.attempts if a.status != "running"]
            fresh = [attempt for attempt in ended if (attempt.cell, attempt.job_id) not in told]
            if fresh or state.finished:
                told.update((attempt.cell, attempt.job_id) for attempt in fresh)
                _tell(bar, state.comparison, fresh)
                await folder.update(state.comparison)
    return state


def _tell(bar: "Progress", comparison: Comparison, attempts: list[Attempt]) -> None:
    from rich.text import Text

    for attempt in attempts:
        name = cell_name(comparison, comparison.cells[attempt.cell])
        bar.console.print(Text(f"{name}: {_outcome(attempt)}"), soft_wrap=True)


def _outcome(attempt: Attempt) -> str:
    if attempt.status == "done":
        return f"{attempt.latency_ms} ms, seed {attempt.seed}"
    return f"{attempt.status}: {reason_in_words(attempt.error or '')}"
