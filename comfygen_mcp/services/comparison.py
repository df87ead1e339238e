"""Comparisons: plan, start, resume, await, look at and cancel them."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from comfygen_mcp.compare import CompareRequest, Comparison
from comfygen_mcp.services.comparison_cells import refused_cells
from comfygen_mcp.services.comparison_plan import ComparisonPlanner
from comfygen_mcp.services.comparison_recovery import deleted_cells, recovered, without_deleted
from comfygen_mcp.services.comparison_run import ComparisonRun, ComparisonState
from comfygen_mcp.services.comparison_shelf import ComparisonShelf
from comfygen_mcp.services.generation import GenerationService

KEPT = 20
"""Finished comparisons that are remembered; the store has all."""
CANCEL_TIMEOUT_S = 40.0
"""How long a cancelled one may take to stop its jobs and draw its sheet before the caller is answered."""

log = logging.getLogger(__name__)


class ComparisonService:
    """One prompt in many cells, each an ordinary job; a comparison outlives the call that started it."""

    def __init__(
        self,
        *,
        planner: ComparisonPlanner,
        generation: GenerationService,
        shelf: ComparisonShelf,
        now: Callable[[], datetime],
    ) -> None:
        self._planner = planner
        self._generation = generation
        self._shelf = shelf
        self._now = now
        self._runs: dict[str, ComparisonRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelling: set[asyncio.Task[ComparisonState]] = set()
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._attendants: Counter[str] = Counter()

    async def plan(self, request: CompareRequest) -> Comparison:
        """Return the cells that `start` would make, with notes on what cannot run now; nothing is sent."""
        comparison = await self._planner.planned(request)
        not_ready = await self._planner.not_ready(comparison)
        refused = await refused_cells(comparison, self._generation.plan)
        lines = (f"Not ready: {line}" for line in dict.fromkeys((*not_ready, *refused)))
        return comparison.model_copy(update={"notes": (*comparison.notes, *lines)})

    async def start(self, request: CompareRequest) -> ComparisonState:
        comparison = await self._planner.planned(request)
        await self._shelf.write(comparison)
        return self._begin(comparison)

    async def resume(self, comparison_id: str, *, visible_to: str | None = None) -> ComparisonState:
        """Make what is not done yet: cells that failed, were skipped or deleted, or never begun.

        One that runs here is returned as it is, as is one that has nothing left to make.
        """
        state = await self.find(comparison_id, visible_to=visible_to)
        if state.live:
            return state
        deleted = await self.deleted(state)
        if state.finished and state.count("done") - len(deleted) == len(state.comparison.cells):
            return state
        kept = without_deleted(state.comparison, deleted)
        return self._begin(await recovered(kept, self._generation.find, self._now()))

    async def deleted(self, state: ComparisonState) -> frozenset[int]:
        """Return the cells of one that has ended whose pictures were deleted since."""
        if state.live:
            return frozenset()
        return await deleted_cells(state.comparison, self._generation.find)

    async def find(self, comparison_id: str, *, visible_to: str | None = None) -> ComparisonState:
        """Return where a comparison stands, from this process or from the store; raises UnknownName."""
        run = self._runs.get(comparison_id)
        if run is not None and visible_to in (None, run.state.comparison.request.owner):
            return run.state
        comparison = await self._shelf.find(comparison_id, visible_to=visible_to)
        # By the beginning of an id, one that runs here is found as well.
        run = self._runs.get(comparison.id)
        return ComparisonState(comparison=comparison) if run is None else run.state

    def running(self, *, visible_to: str | None = None) -> list[ComparisonState]:
        """Return what runs in this process, newest first."""
        states = [run.state for run in reversed(self._runs.values()) if not run.ended.is_set()]
        return [state for state in states if visible_to in (None, state.comparison.request.owner)]

    async def wait(self, comparison_id: str, *, timeout_s: float) -> ComparisonState:
        """Return the state once it has finished, or as it is after *timeout_s* seconds."""
        run = self._runs.get(comparison_id)
        if run is None:
            return await self.find(comparison_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await run.ended.wait()
        return run.state

    async def watch(self, comparison_id: str) -> AsyncGenerator[ComparisonState]:
        """Yield the state now and at every change, until nothing runs any more."""
        run = self._runs.get(comparison_id)
        if run is None:
            yield await self.find(comparison_id)
            return
        while True:
            changed, state = run.changed, run.state
            yield state
            if not state.live:
                return
            await changed.wait()

    async def cancel(self, comparison_id: str, *, visible_to: str | None = None) -> ComparisonState:
        """Stop the cells being made and skip the rest; what is done stays, and it can be resumed."""
        state = await self.find(comparison_id, visible_to=visible_to)
        run = self._runs.get(state.comparison.id)
        if run is not None and state.live:
            await run.cancel()
            return await self.wait(state.comparison.id, timeout_s=CANCEL_TIMEOUT_S)
        if state.interrupted:
            settled = await recovered(state.comparison, self._generation.find, self._now())
            update = {"status": "cancelled", "finished_at": self._now()}
            await self._shelf.write(settled.model_copy(update=update))
            return await self.find(state.comparison.id)
        return state

    @asynccontextmanager
    async def attended(self, comparison_id: str, *, owner: bool) -> AsyncGenerator[None]:
        """Count one who waits; an *owner* cancelled as the last one takes the comparison along."""
        self._attendants[comparison_id] += 1
        try:
            yield
        except asyncio.CancelledError:
            if owner and self._attendants[comparison_id] == 1:
                # The caller's own task may not await any more: the comparison is stopped beside it.
                stopping = asyncio.create_task(self.cancel(comparison_id))
                self._cancelling.add(stopping)
                stopping.add_done_callback(self._cancelling.discard)
            raise
        finally:
            self._attendants[comparison_id] -= 1
            if not self._attendants[comparison_id]:
                del self._attendants[comparison_id]

    async def preview(self, comparison: Comparison) -> bytes | None:
        """Return the small form of the contact sheet (WebP), or None when there is none."""
        return await self._shelf.preview(comparison)

    async def aclose(self) -> None:
        """Stop where it is: what is not done yet stays open, to be resumed."""
        tasks = {*self._tasks.values(), *self._cancelling}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, comparison: Comparison) -> ComparisonState:
        run = ComparisonRun(
            comparison,
            generation=self._generation,
            shelf=self._shelf,
            host_of=self._planner.host_of,
            turn_on=self._turns.__getitem__,
            now=self._now,
        )
        self._forget()
        self._runs[comparison.id] = run
        task = asyncio.create_task(run.carry_out(), name=f"comparison {comparison.id}")
        self._tasks[comparison.id] = task
        task.add_done_callback(lambda task: self._settle(comparison.id, task))
        return run.state

    def _settle(self, comparison_id: str, task: asyncio.Task[None]) -> None:
        """Let nobody wait for one that was stopped from outside, or crashed."""
        self._tasks.pop(comparison_id, None)
        self._runs[comparison_id].give_up()
        if not task.cancelled() and (error := task.exception()):
            log.error("Comparison %s failed with an internal error", comparison_id, exc_info=error)

    def _forget(self) -> None:
        ended = [comparison_id for comparison_id, run in self._runs.items() if run.ended.is_set()]
        for comparison_id in ended[: max(len(ended) - KEPT, 0)]:
            del self._runs[comparison_id]
