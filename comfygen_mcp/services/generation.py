"""Generation: start, await, look at and cancel jobs; read back what they made."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.errors import BadRequest, MissingModel
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.jobs.base import JobEngine, JobState
from comfygen_mcp.models import Generation, Job
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.offers import Offer, Offers
from comfygen_mcp.services.resolve import Resolver


class GenerationService:
    """The one way from a request to stored pictures."""

    def __init__(
        self,
        *,
        offers: Offers,
        library: WorkflowLibrary,
        catalogue: Catalogue,
        resolver: Resolver,
        jobs: JobEngine,
        archive: Archive,
    ) -> None:
        self._offers = offers
        self._library = library
        self._catalogue = catalogue
        self._resolver = resolver
        self._jobs = jobs
        self._archive = archive
        self._attendants: Counter[str] = Counter()
        self._cancelling: set[asyncio.Task[JobState]] = set()

    async def start(self, request: GenerateRequest, *, allow_paths: bool = False) -> Job:
        """Resolve *request* and begin its job; *allow_paths* lets `workflow` be a file of this machine."""
        offer, workflow = await self._choose(request, allow_paths=allow_paths)
        job = self._resolver.resolve(request, offer, workflow)
        await self._jobs.start(job)
        return job

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

    async def state(self, job_id: str) -> JobState:
        return await self._jobs.state(job_id)

    async def recent_jobs(self, *, limit: int) -> list[JobState]:
        return await self._jobs.recent(limit=limit)

    async def cancel(self, job_id: str) -> JobState:
        return await self._jobs.cancel(job_id)

    async def find(self, generation_id: str) -> Generation:
        return await self._archive.find(generation_id)

    async def read_output(self, generation: Generation) -> bytes:
        return await self._archive.read_output(generation)

    async def _choose(self, request: GenerateRequest, *, allow_paths: bool) -> tuple[Offer, Workflow]:
        """Return the offer and the workflow to run; a configured backend may run another workflow."""
        if request.workflow is None:
            offer = (
                await self._catalogue.default() if request.model is None else self._offers.find(request.model)
            )
            return offer, self._offers.workflow(offer)
        workflow = self._library.load(request.workflow, allow_paths=allow_paths, files_first=allow_paths)
        if request.model is None:
            return self._offers.of_workflow(workflow), workflow
        offer = self._offers.find(request.model)
        if not offer.configured and offer.workflow != workflow.reference:
            raise BadRequest(
                f"model={request.model!r} and workflow={request.workflow!r} are two different models. Give "
                "one of them; only a backend configured in comfygen.yaml runs another workflow."
            )
        return offer, workflow
