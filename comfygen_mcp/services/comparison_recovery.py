"""What an interrupted comparison was just making: a cell whose picture was stored is done all the same."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from comfygen_mcp import ids
from comfygen_mcp.compare import Attempt, Comparison, finished_attempt
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.models import Generation
from comfygen_mcp.together import together

Find = Callable[[str], Awaitable[Generation]]
"""Generation id → what is stored of it; raises UnknownName."""


async def recovered(comparison: Comparison, find: Find, now: datetime) -> Comparison:
    """Return *comparison* without running attempts: each is done, or was interrupted."""
    for attempt in comparison.attempts:
        if attempt.status == "running":
            comparison = comparison.with_attempt(await _settled(comparison, attempt, find, now))
    return comparison.model_copy(update={"status": "running", "finished_at": None})


async def deleted_cells(comparison: Comparison, find: Find) -> frozenset[int]:
    """Return the cells that were done, and whose generation is in the gallery no more."""
    done = [attempt for attempt in comparison.last_attempts().values() if attempt.status == "done"]
    gone = await together([_is_gone(attempt, find) for attempt in done])
    return frozenset(attempt.cell for attempt, is_gone in zip(done, gone, strict=True) if is_gone)


def without_deleted(comparison: Comparison, cells: Collection[int]) -> Comparison:
    """Return *comparison* with *cells* to be made again: their last attempt says what became of it."""
    last = [attempt for cell, attempt in comparison.last_attempts().items() if cell in cells]
    update = {"status": "failed", "error": "Its picture was deleted.", "error_type": None, "key": None}
    attempts = tuple(
        attempt.model_copy(update=update) if any(attempt is other for other in last) else attempt
        for attempt in comparison.attempts
    )
    return comparison.model_copy(update={"attempts": attempts})


async def _is_gone(attempt: Attempt, find: Find) -> bool:
    try:
        await find(attempt.generation_id or "")
    except UnknownName:
        return True
    except (BadRequest, StoreFailed):
        # Something is there, or nobody can tell just now.
        return False
    return False


async def _settled(comparison: Comparison, attempt: Attempt, find: Find, now: datetime) -> Attempt:
    try:
        made = await find(ids.generation_id(attempt.job_id, 0)) if attempt.job_id else None
    except (BadRequest, StoreFailed):
        made = None
    if made is not None:
        return finished_attempt(attempt, [made], comparison.cells[attempt.cell].name, now)
    return attempt.model_copy(
        update={
            "status": "cancelled",
            "error": "Not made: the process ended before it was finished.",
            "error_type": "JobCancelled",
            "finished_at": now,
        }
    )
