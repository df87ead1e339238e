"""Generation: start, await, look at and cancel jobs; find what they made."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.errors import MissingModel, UnknownName
from comfygen_mcp.graph.metadata import prose
from comfygen_mcp.jobs.base import JobEngine, JobState
from comfygen_mcp.models import Generation, Job, Record
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.names import nearest_names
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.estimates import Estimates
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.services.preparation import Preparation, Ready

MANY = 100_000
"""More jobs than a process remembers."""


class Started(Record):
    """A job that has begun; *announcement* tells the caller before a long run how long it may take."""

    job: Job
    announcement: str | None = None


class GenerationService:
    """The one way from a request to stored pictures."""

    def __init__(
        self,
        *,
        preparation: Preparation,
        catalogue: Catalogue,
        estimates: Estimates,
        jobs: JobEngine,
        archive: Archive,
    ) -> None:
        self._preparation = preparation
        self._catalogue = catalogue
        self._estimates = estimates
        self._jobs = jobs
        self._archive = archive
        self._attendants: Counter[str] = Counter()
        self._cancelling: set[asyncio.Task[JobState]] = set()

    async def start(self, request: GenerateRequest, *, allow_paths: bool = False) -> Started:
        """Resolve *request* and begin its job; *allow_paths* lets workflow and pictures be any file here."""
        return await self.begin(await self._preparation.ready(request, allow_paths=allow_paths))

    async def begin(self, ready: Ready) -> Started:
        """Begin a job that is decided already."""
        await self._preparation.keep(ready)
        usual = prose(ready.workflow.metadata.estimated_time)
        announcement = self._estimates.announcement(ready.job, usual)
        await self._jobs.start(ready.job)
        return Started(job=ready.job, announcement=announcement)

    async def plan(self, request: GenerateRequest, *, allow_paths: bool = False) -> Plan:
        """Return what `start` would submit, checked against the server's node classes; nothing is sent."""
        return await self._preparation.plan(await self._preparation.ready(request, allow_paths=allow_paths))

    async def wait(self, job_id: str, *, timeout_s: float) -> JobState:
        """Return the job's state once it has finished, or as it is after *timeout_s* seconds."""
        state = await self._jobs.wait(job_id, timeout_s=timeout_s)
        if state.error_type == MissingModel.__name__:
            self._catalogue.forget_default()
        return state

    @asynccontextmanager
    async def attended(self, job_id: str, *, owner: bool) -> AsyncGenerator[None]:
        """Count one who waits for *job_id*; an *owner* cancelled as the last one takes the job along."""
        self._attendants[job_id] += 1
        try:
            yield
        except asyncio.CancelledError:
            if owner and self._attendants[job_id] == 1:
                # The caller's own task may not await any more: the job is stopped beside it.
                stopping = asyncio.create_task(self._jobs.cancel(job_id))
                self._cancelling.add(stopping)
                stopping.add_done_callback(self._cancelling.discard)
            raise
        finally:
            self._attendants[job_id] -= 1
            if not self._attendants[job_id]:
                del self._attendants[job_id]

    def watch(self, job_id: str) -> AsyncIterator[JobState]:
        return self._jobs.watch(job_id)

    async def state(self, job_id: str, *, visible_to: str | None = None) -> JobState:
        """Return the job as it is; one of another caller than *visible_to* is unknown to them."""
        if visible_to is None:
            return await self._jobs.state(job_id)
        own = {state.job.id: state for state in await self.recent_jobs(limit=MANY, visible_to=visible_to)}
        if job_id not in own:
            raise UnknownName(
                "job", job_id, nearest_names(job_id, own), hint="get_job() lists your own ones."
            )
        return own[job_id]

    async def recent_jobs(self, *, limit: int, visible_to: str | None = None) -> list[JobState]:
        """Return the newest jobs, those of *visible_to* where it names a caller."""
        if visible_to is None:
            return await self._jobs.recent(limit=limit)
        everybodys = await self._jobs.recent(limit=MANY)
        return [state for state in everybodys if state.job.owner == visible_to][:limit]

    async def cancel(self, job_id: str, *, visible_to: str | None = None) -> JobState:
        await self.state(job_id, visible_to=visible_to)
        return await self._jobs.cancel(job_id)

    async def find(self, generation_id: str) -> Generation:
        return await self._archive.find(generation_id)
