"""Runs a request for a tool: the job, or only its plan; the result, or the job's id when it takes long."""

import time

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from comfygen_mcp.app import App
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.tools.arguments import Preview
from comfygen_mcp.tools.attendance import attend
from comfygen_mcp.tools.results import job_result, plan_result, raise_if_failed


async def run_request(
    app: App,
    ctx: Context,
    request: GenerateRequest,
    *,
    wait_s: float | None,
    preview: Preview,
    dry_run: bool | None,
) -> CallToolResult:
    """Run *request* and return its result, or what is known of it after *wait_s* seconds."""
    request = request.model_copy(update={"owner": app.owner})
    if dry_run:
        return plan_result(await app.generation.plan(request))
    began = time.monotonic()
    started = await app.generation.start(request)
    bound = app.settings.wait_s if wait_s is None else wait_s
    state = await attend(
        app,
        ctx,
        started.job.id,
        wait_s=max(bound - (time.monotonic() - began), 0),
        owner=True,
        announcement=started.announcement,
    )
    raise_if_failed(state)
    return await job_result(app, state, show_preview=preview != "none", announcement=started.announcement)
