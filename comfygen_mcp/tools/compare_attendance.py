"""A tool call that follows a comparison: it counts cells, and takes the comparison along when cancelled."""

import asyncio
import time
from contextlib import suppress

from mcp.server.mcpserver import Context

from comfygen_mcp.app import App
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.attendance import HEARTBEAT_S, REPORT_EVERY_S
from comfygen_mcp.tools.compare_views import cell_name


async def attend_comparison(
    app: App, ctx: Context, comparison_id: str, *, wait_s: float, owner: bool
) -> ComparisonState:
    """Return the state when it has finished or *wait_s* seconds are over, reporting progress meanwhile.

    When the call is cancelled and *owner* is true, the comparison is cancelled as well, unless somebody else
    is waiting for it.
    """
    reporter = asyncio.create_task(_report(app, ctx, comparison_id))
    try:
        async with app.comparisons.attended(comparison_id, owner=owner):
            return await app.comparisons.wait(comparison_id, timeout_s=wait_s)
    finally:
        reporter.cancel()
        with suppress(asyncio.CancelledError):
            await reporter


def progress_of(state: ComparisonState) -> tuple[float, str]:
    """Return how many cells are made, with the parts of those being made, and that in words."""
    comparison, total = state.comparison, len(state.comparison.cells)
    ended = state.count("done", "failed", "cancelled")
    failed = state.count("failed")
    words = [f"{ended} of {total} cells" + (f" ({failed} failed)" if failed else "")]
    words += [
        f"{cell_name(comparison, comparison.cells[running.cell])}: {running.message}"
        for running in state.running
    ]
    # Of a finished cell there may be one last word of its job: it is not counted twice.
    parts = sum(min(running.fraction, 0.999) for running in state.running)
    return min(ended + parts, total), "; ".join(words)[:200]


async def _report(app: App, ctx: Context, comparison_id: str) -> None:
    """Tell every change, at most twice a second, and at least every few seconds."""
    watching = aiter(app.comparisons.watch(comparison_id))
    pending = asyncio.ensure_future(anext(watching))
    last, told_at, ended = -1.0, 0.0, -1
    state: ComparisonState | None = None
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
            if done:
                state = pending.result()
                pending = asyncio.ensure_future(anext(watching))
            if state is None:
                continue
            count = state.count("done", "failed", "cancelled")
            if done and count == ended and time.monotonic() - told_at < REPORT_EVERY_S:
                continue
            value, words = progress_of(state)
            # The protocol wants values that rise, and a heartbeat is told without progress.
            last, told_at, ended = max(value, last + 0.001), time.monotonic(), count
            await ctx.report_progress(last, float(len(state.comparison.cells)), words)
    except StopAsyncIteration:
        return
    finally:
        pending.cancel()
