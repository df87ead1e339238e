"""Attendance: a tool call that follows a job, tells its progress, and takes it along when cancelled."""

import asyncio
import time
from contextlib import suppress

from mcp.server.mcpserver import Context

from comfygen_mcp.app import App
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Progress

REPORT_EVERY_S = 0.5
"""Progress notifications of one call are at least this far apart."""
HEARTBEAT_S = 10.0
"""... and at most this far, so that clients with an idle limit keep waiting."""


async def attend(
    app: App, ctx: Context, job_id: str, *, wait_s: float, owner: bool, announcement: str | None = None
) -> JobState:
    """Return the job's state when it has finished or *wait_s* seconds are over, reporting progress meanwhile.

    When the call is cancelled and *owner* is true, the job is cancelled on its host as well,
    unless somebody else is waiting for it. *announcement* is told first, before the job has got anywhere.
    """
    reporter = asyncio.create_task(_report(app, ctx, job_id, announcement))
    try:
        async with app.generation.attended(job_id, owner=owner):
            return await app.generation.wait(job_id, timeout_s=wait_s)
    finally:
        reporter.cancel()
        with suppress(asyncio.CancelledError):
            await reporter


async def _report(app: App, ctx: Context, job_id: str, announcement: str | None) -> None:
    report = _Report(ctx)
    if announcement is not None:
        await report.announce(announcement)
    watching = aiter(app.generation.watch(job_id))
    pending = asyncio.ensure_future(anext(watching))
    latest: JobState | None = None
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
            if done:
                latest = pending.result()
                pending = asyncio.ensure_future(anext(watching))
            if latest is not None and latest.progress is not None:
                await report.send(latest.progress, heartbeat=not done)
    except StopAsyncIteration:
        return
    finally:
        pending.cancel()


class _Report:
    """Progress in percent that strictly increases, as the protocol demands, however often it is told."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._last = -1.0
        self._told_at = 0.0

    async def announce(self, text: str) -> None:
        self._last = 0.0
        await self._ctx.report_progress(0.0, 100.0, text)

    async def send(self, progress: Progress, *, heartbeat: bool) -> None:
        now = time.monotonic()
        last_step = progress.step is not None and progress.step == progress.steps
        if not heartbeat and not last_step and now - self._told_at < REPORT_EVERY_S:
            return
        value = max(progress.fraction * 100, self._last + 0.001)
        self._last, self._told_at = value, now
        await self._ctx.report_progress(value, 100.0, progress_text(progress))


def progress_text(progress: Progress) -> str:
    eta = f", about {progress.eta_s:.0f} s left" if progress.eta_s else ""
    return (progress.message + eta)[:200]
