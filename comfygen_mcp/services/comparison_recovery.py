"""What an interrupted comparison was just making: a cell whose picture was stored is done all the same."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from comfygen_mcp import ids
from comfygen_mcp.compare import Attempt, Comparison, finished_attempt
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.models import Generation

Find = Callable[[str], Awaitable[Generation]]
"""Generation id → what is stored of it; raises UnknownName."""


async def recovered(comparison: Comparison, find: Find, now: datetime) -> Comparison:
    """Return *comparison* without running attempts: each is done, or was interrupted."""
    for attempt in comparison.attempts:
        if attempt.status == "running":
            comparison = comparison.with_attempt(await _settled(comparison, attempt, find, now))
    return comparison.model_copy(update={"status": "running", "finished_at": None})


async def _settled(comparison: Comparison, attempt: Attempt, find: Find, now: datetime) -> Attempt:
    try:
        made = await find(ids.generation_id(attempt.job_id, 0)) if attempt.job_id else None
    except (BadRequest, StoreFailed):
        made = None
    if made is not None:
        return finished_attempt(attempt, [made], comparison.cells[attempt.cell].name, now)
    return attempt.model_copy(
        update={
            "status": "failed",
            "error": "The process that made it ended before it was finished.",
            "error_type": "JobCancelled",
            "finished_at": now,
        }
    )
