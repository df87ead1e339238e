"""What every job engine can do; the rest of the package knows nothing else of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeAlias

from comfygen_mcp.errors import (
    BackendUnreachable,
    BadConfiguration,
    BadRequest,
    BadWorkflow,
    ComfygenError,
    ExecutionFailed,
    GraphRejected,
    JobCancelled,
    JobTimeout,
    MissingModel,
    StoreFailed,
    UnexpectedReply,
)
from comfygen_mcp.models import Generation, Job, JobStatus, Progress, Record

Publish: TypeAlias = Callable[[Progress], None]
Run: TypeAlias = Callable[[Job, Publish], Awaitable[tuple[Generation, ...]]]
"""Runs one job to its end; when it is cancelled it stops the job on the host before it returns."""


class JobState(Record):
    """Where a job stands. *error* is for the caller to read; *error_type* names its class in errors.py."""

    job: Job
    status: JobStatus
    progress: Progress | None = None
    generations: tuple[Generation, ...] = ()
    error: str | None = None
    error_type: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def failure(self) -> ComfygenError:
        """What ended the job, as the exception it was; for a job that failed or was cancelled."""
        kind = next((kind for kind in _ERRORS if kind.__name__ == self.error_type), ComfygenError)
        text = self.error or f"the job was {self.status}"
        return kind(text)

    @property
    def finished(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")


Watch: TypeAlias = Callable[[JobState], None]
"""Is told the last state of every job."""


_ERRORS = (
    *(BackendUnreachable, BadConfiguration, BadRequest, BadWorkflow, ExecutionFailed, GraphRejected),
    *(JobCancelled, JobTimeout, MissingModel, StoreFailed, UnexpectedReply),
)
"""The errors that one text makes."""


class JobEngine(Protocol):
    """Runs jobs; ids are those of `Job.id`. An unknown id raises UnknownName."""

    async def start(self, job: Job) -> None:
        """Begin *job*; the same id twice is begun once."""
        ...

    async def wait(self, job_id: str, *, timeout_s: float) -> JobState:
        """Return the state once the job has finished, or as it is after *timeout_s* seconds."""
        ...

    def watch(self, job_id: str) -> AsyncIterator[JobState]:
        """Yield the state now and at every change, until the job has finished."""
        ...

    async def state(self, job_id: str) -> JobState: ...

    async def recent(self, *, limit: int) -> list[JobState]:
        """Return the newest jobs first."""
        ...

    async def cancel(self, job_id: str) -> JobState:
        """Stop the job on its host, wait until it has stopped, return its last state."""
        ...

    async def aclose(self) -> None: ...
