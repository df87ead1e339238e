"""Tools that follow, stop and look: jobs, hosts, backends."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from comfygen_mcp.services.status import BackendStatus, HostStatus
from comfygen_mcp.tools.arguments import Preview, WaitSeconds
from comfygen_mcp.tools.attendance import attend
from comfygen_mcp.tools.compare_jobs import (
    comparison_named,
    look_at_comparison,
    running_comparisons,
    stopped_comparison,
)
from comfygen_mcp.tools.compare_views import CompareView
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.job_views import JobView, job_view
from comfygen_mcp.tools.results import job_result, job_text, structured
from comfygen_mcp.tools.views import View


class JobsView(View):
    """One job or comparison that was asked for, or the recent jobs, newest first."""

    jobs: list[JobView]
    comparisons: tuple[CompareView, ...] = ()


class StatusView(View):
    """What is configured, what answers, and what is running."""

    version: str
    store: str
    store_error: str | None
    store_waiting: int
    store_notes: list[str]
    jobs_running: int
    hosts: list[HostStatus]
    backends: list[BackendStatus]


async def get_job(
    app: TheApp,
    ctx: Context,
    job_id: Annotated[str | None, Field(description="Or comparison_id")] = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobsView]:
    """Look at a job, waiting up to wait_s (at most 45) seconds for its end; without an id, at recent ones."""
    if job_id is None:
        states = await app.generation.recent_jobs(limit=10, visible_to=app.owner)
        views = [await job_view(state, app, most=4) for state in states]
        texts = [job_text(state, view) for state, view in zip(states, views, strict=True)]
        compared = await running_comparisons(app)
        text = "\n".join([*(told for told, _ in compared), *texts]) or "No jobs yet in this server."
        view = JobsView(jobs=views, comparisons=tuple(view for _, view in compared))
        return structured([TextContent(type="text", text=text)], view)
    if (comparison_id := await comparison_named(app, job_id)) is not None:
        content, seen = await look_at_comparison(
            app, ctx, comparison_id, wait_s=wait_s or 0, show_preview=preview != "none"
        )
        return structured(content, JobsView(jobs=[], comparisons=(seen,)))
    await app.generation.state(job_id, visible_to=app.owner)
    state = await attend(app, ctx, job_id, wait_s=wait_s or 0, owner=False)
    result = await job_result(app, state, show_preview=preview != "none")
    return structured(result.content, JobsView(jobs=[await job_view(state, app)]))


async def cancel_job(
    app: TheApp, job_id: Annotated[str, Field(description="Queued or running")]
) -> Annotated[CallToolResult, JobsView]:
    """Stop a job on its host and in the queue; what is finished stays."""
    if (comparison_id := await comparison_named(app, job_id)) is not None:
        text, stopped = await stopped_comparison(app, comparison_id)
        view = JobsView(jobs=[], comparisons=(stopped,))
        return structured([TextContent(type="text", text=text)], view)
    state = await app.generation.cancel(job_id, visible_to=app.owner)
    view = await job_view(state, app)
    text = (
        job_text(state, view) if state.status == "cancelled" else f"Job {job_id} had already {state.status}."
    )
    return structured([TextContent(type="text", text=text)], JobsView(jobs=[view]))


async def server_status(
    app: TheApp,
    probe: Annotated[bool, Field(description="Ask the hosts")] = True,
) -> Annotated[CallToolResult, StatusView]:
    """List ComfyUI hosts and backends, whether they answer, their queues, and the store."""
    status = await app.status.server(probe=probe)
    view = StatusView.model_validate(status.model_dump())
    lines = [f"comfygen-mcp {status.version}, files in {status.store}, {status.jobs_running} job(s) running"]
    if status.store_error:
        lines.append(f"The store cannot be written: {status.store_error}")
    if status.store_waiting:
        lines.append(f"{status.store_waiting} file(s) wait here to be delivered to the store")
    lines += [f"Store: {note}" for note in status.store_notes]
    lines += [_host_line(host) for host in status.hosts]
    lines += [_backend_line(backend) for backend in status.backends]
    return structured([TextContent(type="text", text="\n".join(lines))], view)


def _host_line(host: HostStatus) -> str:
    if host.error:
        return f"{host.url}: {host.error}"
    engine = "embedded preview engine" if host.preview_engine else "ComfyUI"
    queue = f"{host.running} running, {host.pending} queued"
    return f"{host.url}: {engine} {host.comfyui_version or ''} on {host.device or 'unknown device'}, {queue}"


def _backend_line(backend: BackendStatus) -> str:
    if backend.error:
        return f"{backend.name}: error: {backend.error}"
    if backend.readiness is None:
        return f"{backend.name}: configured for {backend.address}, not asked"
    reason = f" - {backend.readiness.reason}" if backend.readiness.state != "ready" else ""
    engine = " (preview engine)" if backend.readiness.preview_engine else ""
    return f"{backend.name}: {backend.readiness.state}{engine}{reason}"
