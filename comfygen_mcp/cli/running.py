"""Runs a request from the command line: live progress, the files' places on standard output, a copy."""

import json
from collections.abc import Callable
from pathlib import Path

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.copies import check_target, copy_outputs
from comfygen_mcp.cli.session import EXIT_FAILED, Options, opened, run
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.tools.job_views import job_view, plan_view
from comfygen_mcp.tools.results import job_text, plan_text


def run_request(
    options: Options,
    request: Callable[[], GenerateRequest],
    *,
    output: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Make what *request* asks for and tell where it is, or with *dry_run* print what would be sent."""
    if dry_run:
        run(lambda: _plan(options, request(), as_json=as_json))
    else:
        run(lambda: _generate(options, request(), output=output, as_json=as_json))


async def _plan(options: Options, request: GenerateRequest, *, as_json: bool) -> None:
    async with opened(options) as app:
        plan = await app.generation.plan(request, allow_paths=True)
    print_plan(plan, as_json=as_json)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print the graph that would be sent; end with an error when it would be refused."""
    shown = plan_view(plan, whole=True).model_dump(mode="json") if as_json else plan.graph
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    if not as_json:
        typer.echo(plan_text(plan), err=True)
    if plan.problems:
        raise typer.Exit(EXIT_FAILED)


async def _generate(
    options: Options, request: GenerateRequest, *, output: Path | None, as_json: bool
) -> None:
    check_target(output)
    async with opened(options) as app:
        started = await app.generation.start(request, allow_paths=True)
        if started.announcement is not None:
            typer.echo(started.announcement, err=True)
        state = await with_progress_bar(app, started.job.id)
        if state.status != "completed":
            raise state.failure
        view = await job_view(state, app, most=None)
        if as_json:
            typer.echo(json.dumps(view.model_dump(mode="json"), indent=2))
        else:
            typer.echo(job_text(state, view), err=True)
            for stored in view.outputs:
                typer.echo(stored.path or stored.download_url or stored.url)
        if output is not None:
            await copy_outputs(state, app, output)


async def with_progress_bar(app: App, job_id: str) -> JobState:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[eta]}"),
        TimeElapsedColumn(),
    )
    latest = await app.generation.state(job_id)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0, eta="")
        async for latest in app.generation.watch(job_id):
            if (progress := latest.progress) is not None:
                eta = f"about {progress.eta_s:.0f} s left" if progress.eta_s else ""
                bar.update(task, completed=progress.fraction, description=progress.message, eta=eta)
    return latest
