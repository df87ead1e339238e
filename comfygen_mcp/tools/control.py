"""Tools that follow, stop and look: jobs, hosts, backends."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from comfygen_mcp.services.status import BackendStatus, HostStatus
from comfygen_mcp.tools.arguments import Preview, WaitSeconds
from comfygen_mcp.tools.attendance import attend
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.job_views import JobView, job_view
from comfygen_mcp.tools.results import job_result, job_text, structured
from comfygen_mcp.tools.views import View


class JobsView(View):
    """One job that was asked for, or the recent ones, newest first."""

    jobs: list[JobView]


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
    job_id: Annotated[str | None, Field(description="From generate_image; leave out for recent jobs")] = None,
    wait_s: WaitSeconds = None,
    preview: Preview = "small",
) -> Annotated[CallToolResult, JobsView]:
    """Look at a job, waiting up to wait_s seconds for it to finish; without an id, list the recent jobs."""
    if job_id is None:
        states = await app.generation.recent_jobs(limit=10)
        views = [await job_view(state, app) for state in states]
        texts = [job_text(state, view) for state, view in zip(states, views, strict=True)]
        text = "\n".join(texts) or "No jobs yet in this server."
        view = JobsView(jobs=views)
        return structured([TextContent(type="text", text=text)], view)
    state = await attend(app, ctx, job_id, wait_s=wait_s or 0, owner=False)
    result = await job_result(app, state, show_preview=preview == "small")
    return structured(result.content, JobsView(jobs=[await job_view(state, app)]))


async def cancel_job(
    app: TheApp, job_id: Annotated[str, Field(description="The job to stop, queued or running")]
) -> Annotated[CallToolResult, JobsView]:
    """Stop a job on its host and in the queue. A finished job is left as it is; its files stay."""
    state = await app.generation.cancel(job_id)
    view = await job_view(state, app)
    text = (
        job_text(state, view) if state.status == "cancelled" else f"Job {job_id} had already {state.status}."
    )
    return structured([TextContent(type="text", text=text)], JobsView(jobs=[view]))


async def server_status(
    app: TheApp,
    probe: Annotated[bool, Field(description="Ask the hosts; false only lists what is configured")] = True,
) -> Annotated[CallToolResult, StatusView]:
    """Tell which ComfyUI hosts and backends there are, whether they answer, their queues, where files go."""
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
