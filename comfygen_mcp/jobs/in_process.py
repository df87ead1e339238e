"""Jobs as tasks of this process: they outlive the call that started them, not the process."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from comfygen_mcp.errors import ComfygenError, JobCancelled, UnknownName
from comfygen_mcp.jobs.base import JobState, Run, Watch
from comfygen_mcp.models import Job, Progress
from comfygen_mcp.names import nearest_names

CANCEL_TIMEOUT_S = 30.0
"""How long a cancelled job may take to stop on its host before the caller is answered."""

_log = logging.getLogger(__name__)


class InProcessJobs:
    """A JobEngine in memory; the newest *keep* finished jobs are remembered.

    Constructing it does nothing; `start` needs a running event loop.
    """

    def __init__(
        self,
        run: Run,
        *,
        keep: int = 500,
        on_finish: Watch | None = None,
        cancel_timeout_s: float = CANCEL_TIMEOUT_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._run = run
        self._keep = keep
        self._on_finish = on_finish
        self._cancel_timeout_s = cancel_timeout_s
        self._now = now
        self._entries: dict[str, _Entry] = {}
        self._closed = False

    async def start(self, job: Job) -> None:
        if self._closed:
            raise JobCancelled(f"The server is shutting down; job {job.id} was not started.")
        if job.id in self._entries:
            return
        entry = _Entry(JobState(job=job, status="queued"))
        self._entries[job.id] = entry
        entry.task = asyncio.create_task(self._carry_out(entry), name=f"job {job.id}")
        entry.task.add_done_callback(lambda task: self._settle(entry, task))

    async def wait(self, job_id: str, *, timeout_s: float) -> JobState:
        entry = self._entry(job_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await entry.ended.wait()
        return entry.state

    async def watch(self, job_id: str) -> AsyncGenerator[JobState]:
        """Yield the state now and at every change; a slow reader gets the latest one only."""
        entry = self._entry(job_id)
        while True:
            state, changed = entry.state, entry.changed
            yield state
            if state.finished:
                return
            await changed.wait()

    async def state(self, job_id: str) -> JobState:
        return self._entry(job_id).state

    async def recent(self, *, limit: int) -> list[JobState]:
        newest = reversed(self._entries.values())
        return [entry.state for entry in islice(newest, max(limit, 0))]

    async def cancel(self, job_id: str) -> JobState:
        entry = self._entry(job_id)
        entry.stop()
        return await self.wait(job_id, timeout_s=self._cancel_timeout_s)

    async def aclose(self) -> None:
        """Cancel what is running, and wait until it has stopped."""
        self._closed = True
        running = [entry for entry in self._entries.values() if entry.task and not entry.task.done()]
        for entry in running:
            entry.stop()
        tasks = [entry.task for entry in running if entry.task]
        if tasks:
            await asyncio.wait(tasks, timeout=self._cancel_timeout_s)

    def _entry(self, job_id: str) -> "_Entry":
        entry = self._entries.get(job_id)
        if entry is None:
            newest = islice(reversed(self._entries), 5)
            known = dict.fromkeys([*nearest_names(job_id, self._entries), *newest])
            raise UnknownName("job", job_id, known, hint=_FORGOTTEN)
        return entry

    async def _carry_out(self, entry: "_Entry") -> None:
        entry.update(status="running", started_at=self._now())
        try:
            generations = await self._run(entry.state.job, entry.publish)
        except asyncio.CancelledError:
            self._finish(entry, status="cancelled")
        except JobCancelled as error:
            self._finish(entry, status="cancelled", error=str(error), error_type="JobCancelled")
        except ComfygenError as error:
            self._finish(entry, status="failed", error=str(error), error_type=type(error).__name__)
        else:
            self._finish(entry, status="completed", generations=generations)

    def _settle(self, entry: "_Entry", task: asyncio.Task[None]) -> None:
        """Finish what could not finish itself: cancelled before its first step, or crashed."""
        if task.cancelled():
            self._finish(entry, status="cancelled")
        elif error := task.exception():
            _log.error("Job %s failed with an internal error", entry.state.job.id, exc_info=error)
            self._finish(entry, status="failed", error=_INTERNAL, error_type="InternalError")

    def _finish(self, entry: "_Entry", **changes: Any) -> None:
        entry.update(finished_at=self._now(), **changes)
        entry.ended.set()
        _tell(entry.state)
        if self._on_finish is not None:
            self._on_finish(entry.state)
        finished = [job_id for job_id, other in self._entries.items() if other.state.finished]
        for job_id in finished[: max(len(finished) - self._keep, 0)]:
            del self._entries[job_id]


_INTERNAL = "Internal error; see the server's log."
_FORGOTTEN = "Jobs are forgotten when the server restarts; their stored pictures stay."


def _tell(state: JobState) -> None:
    began = state.started_at or state.job.created_at
    seconds = (state.finished_at - began).total_seconds() if state.finished_at else 0.0
    fields = {
        "job_id": state.job.id,
        "backend": state.job.backend,
        "status": state.status,
        "error_type": state.error_type,
        "duration_ms": round(seconds * 1000),
    }
    _log.info("job %s", state.status, extra=fields)


@dataclass(eq=False)
class _Entry:
    """A job's current state; *changed* is set, and replaced, at every new one."""

    state: JobState
    task: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False

    def stop(self) -> None:
        """Cancel the run once: a second cancellation would interrupt its clean-up on the host."""
        if self.task is not None and not self.stopping:
            self.stopping = True
            self.task.cancel()

    def publish(self, progress: Progress) -> None:
        if not self.state.finished:
            self.update(progress=progress)

    def update(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)
        self.changed.set()
        self.changed = asyncio.Event()
