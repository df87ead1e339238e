"""One comparison on its way: a host makes one cell after another, all hosts at once."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from comfygen_mcp.compare import (
    Attempt,
    Cell,
    Comparison,
    ComparisonStatus,
    finished_attempt,
    seed_text,
)
from comfygen_mcp.errors import BackendUnreachable, BadRequest, ComfygenError, StoreFailed
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Progress, Record
from comfygen_mcp.services.comparison_cells import cell_request
from comfygen_mcp.services.comparison_shelf import ComparisonShelf
from comfygen_mcp.services.generation import GenerationService

log = logging.getLogger(__name__)


class RunningCell(Record):
    """A cell that is being made, and how far it is."""

    cell: int
    message: str
    fraction: float


class ComparisonState(Record):
    """A comparison as it stands; *live* says that it runs in this process."""

    comparison: Comparison
    live: bool = False
    running: tuple[RunningCell, ...] = ()

    @property
    def finished(self) -> bool:
        return self.comparison.status != "running"

    @property
    def interrupted(self) -> bool:
        """The process that ran it is gone, or is another one."""
        return not self.finished and not self.live

    @property
    def failure(self) -> type[ComfygenError]:
        """Say what kind of error it is that no cell was made."""
        kinds = {attempt.error_type for attempt in self.comparison.last_attempts().values()}
        if kinds <= {"BackendUnreachable"}:
            return BackendUnreachable
        return BadRequest if kinds <= {"BadRequest", "UnknownName"} else ComfygenError

    def count(self, *statuses: str) -> int:
        cells = range(len(self.comparison.cells))
        return sum(self.comparison.cell_status(cell) in statuses for cell in cells)


class ComparisonRun:
    """Makes the cells that are not done yet; *turn_on* is one host's turn, taken for each cell.

    What it has got to is in `state`; *changed* is set, and replaced, whenever that is another one.
    """

    def __init__(
        self,
        comparison: Comparison,
        *,
        generation: GenerationService,
        shelf: ComparisonShelf,
        host_of: Callable[[str], str],
        turn_on: Callable[[str], AbstractAsyncContextManager[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._comparison = comparison
        self._generation = generation
        self._shelf = shelf
        self._host_of = host_of
        self._turn_on = turn_on
        self._now = now
        self._jobs: dict[int, str] = {}
        self._progress: dict[int, Progress] = {}
        self._stopping = False
        self._writing = asyncio.Lock()
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def state(self) -> ComparisonState:
        return ComparisonState(
            comparison=self._comparison,
            live=not self.ended.is_set(),
            running=tuple(
                RunningCell(cell=cell, message=progress.message, fraction=progress.fraction)
                for cell, progress in sorted(self._progress.items())
            ),
        )

    async def carry_out(self) -> None:
        """Make every cell; whatever happens to one, the others are made."""
        hosts = self._cells_by_host().items()
        ends = await asyncio.gather(
            *(self._on_host(address, cells) for address, cells in hosts), return_exceptions=True
        )
        await self._finish()
        for end in ends:
            if end is not None:
                raise end

    async def cancel(self) -> None:
        """Stop the cells being made on their hosts, and skip the rest."""
        self._stopping = True
        await asyncio.gather(*(self._generation.cancel(job_id) for job_id in self._jobs.values()))

    def give_up(self) -> None:
        """Tell whoever waits that nothing more will come."""
        self.ended.set()
        self._tell()

    def _cells_by_host(self) -> Mapping[str, list[int]]:
        by_host: dict[str, list[int]] = defaultdict(list)
        for number, cell in enumerate(self._comparison.cells):
            if self._comparison.cell_status(number) != "done":
                by_host[self._host_of(cell.backend)].append(number)
        return by_host

    async def _on_host(self, address: str, cells: list[int]) -> None:
        for number in cells:
            async with self._turn_on(address):
                if self._stopping:
                    return
                await self._make(number, self._comparison.cells[number])

    async def _make(self, number: int, cell: Cell) -> None:
        attempt = Attempt(
            cell=number,
            backend=cell.backend,
            status="running",
            seed=cell.seed,
            seed_text=seed_text(cell.seed),
            started_at=self._now(),
        )
        self._show(number, Progress(phase="queued", message="starting"))
        try:
            job = (await self._generation.start(cell_request(self._comparison, cell))).job
            attempt = attempt.model_copy(update={"job_id": job.id, "model": job.model or None})
            state = await self._followed(number, attempt, job.id)
        except ComfygenError as error:
            ended = self._failed(attempt, str(error), type(error).__name__)
        else:
            ended = self._ended(attempt, cell, state)
        finally:
            self._progress.pop(number, None)
            self._jobs.pop(number, None)
        await self._record(ended)

    async def _followed(self, number: int, attempt: Attempt, job_id: str) -> JobState:
        """Return the last state of the cell's job; that it runs is written down first."""
        self._jobs[number] = job_id
        await self._record(attempt)
        if self._stopping:
            await self._generation.cancel(job_id)
        state = await self._generation.state(job_id)
        async for state in self._generation.watch(job_id):
            if state.progress is not None:
                self._show(number, state.progress)
        return state

    def _ended(self, attempt: Attempt, cell: Cell, state: JobState) -> Attempt:
        if state.status == "cancelled":
            cancelled = self._failed(attempt, state.error or "It was cancelled.", "JobCancelled")
            return cancelled.model_copy(update={"status": "cancelled"})
        if state.status == "failed":
            return self._failed(attempt, state.error or "It failed.", state.error_type)
        if not state.generations:
            return self._failed(attempt, "Nothing came out of the workflow.", "ExecutionFailed")
        return finished_attempt(attempt, state.generations, cell.name, self._now())

    def _failed(self, attempt: Attempt, error: str, error_type: str | None) -> Attempt:
        return attempt.model_copy(
            update={
                "status": "failed",
                "error": error,
                "error_type": error_type,
                "finished_at": self._now(),
            }
        )

    async def _finish(self) -> None:
        update: dict[str, object] = {"status": self._last_status(), "finished_at": self._now()}
        if self._comparison.request.contact_sheet:
            try:
                update["sheet"] = await self._shelf.draw(self._comparison)
            except ComfygenError as reason:
                log.warning("no contact sheet of comparison %s: %s", self._comparison.id, reason)
                update["notes"] = (*self._comparison.notes, f"There is no contact sheet: {reason}")
        self._comparison = self._comparison.model_copy(update=update)
        await self._write()
        self.give_up()

    def _last_status(self) -> ComparisonStatus:
        if self._stopping and self.state.count("done") < len(self._comparison.cells):
            return "cancelled"
        return "completed" if self.state.count("done") else "failed"

    async def _record(self, attempt: Attempt) -> None:
        self._comparison = self._comparison.with_attempt(attempt)
        self._tell()
        await self._write()

    async def _write(self) -> None:
        """Write the record as it is by now; that it cannot be written must not end the comparison."""
        async with self._writing:
            try:
                await self._shelf.write(self._comparison)
            except StoreFailed as reason:
                log.warning("comparison %s could not be written: %s", self._comparison.id, reason)

    def _show(self, number: int, progress: Progress) -> None:
        self._progress[number] = progress
        self._tell()

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
