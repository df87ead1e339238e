"""The cells of a comparison as requests, and which of them cannot be made as things stand."""

from collections.abc import Awaitable, Callable

from comfygen_mcp.compare import Cell, Comparison
from comfygen_mcp.errors import BackendUnreachable, ComfygenError, UnexpectedReply
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.plans import Plan

Check = Callable[[GenerateRequest], Awaitable[Plan]]
"""Returns what a request would submit; raises what is wrong with it."""


def cell_request(comparison: Comparison, cell: Cell) -> GenerateRequest:
    """Return the request that makes *cell*."""
    request = comparison.request
    return GenerateRequest(
        prompt=request.prompt,
        negative=request.negative,
        style=request.style,
        size=request.size,
        model=cell.backend,
        preset=cell.preset,
        loras=cell.loras,
        seed=cell.seed,
        steps=cell.steps,
        cfg=cell.cfg,
        group_id=comparison.id,
        caller=request.caller,
        owner=request.owner,
    )


async def refused_cells(comparison: Comparison, check: Check) -> tuple[str, ...]:
    """Return a line for each reason why cells would be refused, but for hosts that are away."""
    alike = {cell.model_copy(update={"seed": 1, "labels": (), "name": ""}): cell for cell in comparison.cells}
    lines: dict[str, None] = {}
    for cell in alike.values():
        try:
            await check(cell_request(comparison, cell))
        except (BackendUnreachable, UnexpectedReply):
            continue
        except ComfygenError as reason:
            lines[f"{cell.backend}: {reason}"] = None
    return tuple(lines)
