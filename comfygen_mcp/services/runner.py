"""The runner: one job from its backend to the store, cleaned up whatever happens."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path, PurePath

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.base import Backend
from comfygen_mcp.errors import BackendUnreachable, JobCancelled, JobTimeout, StoreFailed, UnexpectedReply
from comfygen_mcp.jobs.base import Publish
from comfygen_mcp.models import Generation, Job, Ticket

CANCEL_BOUND_S = 15.0
"""How long a cancelled job may take to be stopped on its host."""

log = logging.getLogger(__name__)


class Runner:
    """Runs jobs for a JobEngine; *incoming* is where outputs lie between fetching and storing.

    *learn* is told how many seconds each job ran.
    """

    def __init__(
        self,
        *,
        backend_of: Callable[[str], Backend],
        archive: Archive,
        incoming: Path,
        learn: Callable[[Job, float], None] = lambda _job, _seconds: None,
    ) -> None:
        self._backend_of = backend_of
        self._archive = archive
        self._incoming = incoming
        self._learn = learn

    async def run(self, job: Job, publish: Publish) -> tuple[Generation, ...]:
        """Make, fetch and keep every output of *job*."""
        backend = self._backend_of(job.backend)
        started = time.monotonic()
        try:
            ticket = await backend.submit(await backend.prepare(job))
        except asyncio.CancelledError as cut:
            raise JobCancelled(str(cut) or "It had not begun on its host.") from None
        log.info("job submitted", extra=_fields(ticket))
        try:
            async with aclosing(backend.follow(ticket, timeout_s=job.timeout_s)) as steps:
                async for progress in steps:
                    publish(progress)
            return await self._keep(backend, job, ticket, started)
        except asyncio.CancelledError:
            raise JobCancelled(await _stop(backend, ticket)) from None
        except JobTimeout:
            await _stop(backend, ticket)
            raise

    async def _keep(
        self, backend: Backend, job: Job, ticket: Ticket, started: float
    ) -> tuple[Generation, ...]:
        folder = await _made(self._incoming / job.id)
        try:
            collected = await backend.collect(ticket, folder)
            latency_ms = round((time.monotonic() - started) * 1000)
            self._learn(job, (collected.running_ms or latency_ms) / 1000)
            # Where a workflow file lies is this machine's own affair: the sidecar has its name.
            shown = job.model_copy(update={"workflow": PurePath(job.workflow).name})
            kept = await self._archive.keep(
                shown, ticket, collected, latency_ms=latency_ms, backend_type=backend.backend_type
            )
        except StoreFailed:
            # The fetched files are the only copy we know of: the message names the folder, which stays.
            raise
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        log.info("outputs kept", extra={**_fields(ticket), "outputs": len(kept), "duration_ms": latency_ms})
        return kept


async def _made(folder: Path) -> Path:
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    except OSError as reason:
        raise StoreFailed(
            f"Outputs cannot be fetched: the folder {folder.parent.name!r} cannot be written "
            f"({reason.strerror}). Set COMFYGEN_INCOMING to a folder that can."
        ) from reason
    return folder


async def _stop(backend: Backend, ticket: Ticket) -> str:
    """Stop the job on its host; return what became of it there, for the caller to read."""
    try:
        async with asyncio.timeout(CANCEL_BOUND_S):
            stopped = await backend.cancel(ticket)
    except (TimeoutError, JobTimeout, BackendUnreachable, UnexpectedReply) as reason:
        log.warning("job could not be stopped on its host: %s", reason, extra=_fields(ticket))
        why = str(reason) or f"no answer within {CANCEL_BOUND_S:.0f} s"
        return f"It could not be stopped on {ticket.host} and may still run there: {why}"
    log.info("job stopped on its host" if stopped else "job was not on its host", extra=_fields(ticket))
    return (
        "It was stopped on its host." if stopped else "It had not begun, or had already ended, on its host."
    )


def _fields(ticket: Ticket) -> dict[str, str]:
    """Return what a log line of this job is searched by."""
    return {"job_id": ticket.job_id, "backend": ticket.backend, "host": ticket.host}
