"""`comfygen generate`: a picture from the command line, with live progress."""

import asyncio
import json
import shutil
from pathlib import Path, PurePath
from typing import Annotated

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.session import EXIT_BAD_INPUT, Options, fail, opened, run
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Generation
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.tools.results import job_text
from comfygen_mcp.tools.views import job_view


def generate(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What the picture shows.")],
    model: Annotated[
        str | None, typer.Option("--model", "--backend", "-m", help="Name from `comfygen models`.")
    ] = None,
    negative: Annotated[
        str | None, typer.Option("--negative", "--negative-prompt", help="What to avoid.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="1216x832, 16:9, square, portrait, landscape ...")] = None,
    width: Annotated[int | None, typer.Option(help="Pixels, instead of --size.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels, instead of --size.")] = None,
    seed: Annotated[str | None, typer.Option(help="Repeat a picture; default: a new one.")] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; default: the model's own.")] = None,
    cfg: Annotated[float | None, typer.Option(help="Guidance; default: the model's own.")] = None,
    sampler: Annotated[str | None, typer.Option(help="Sampler; default: the model's own.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Scheduler; default: the model's own.")] = None,
    preset: Annotated[str | None, typer.Option(help="Quality preset from `comfygen presets`.")] = None,
    force_preset: Annotated[bool, typer.Option("--force-preset", help="Even on a distilled model.")] = False,
    style: Annotated[str | None, typer.Option(help="Style from `comfygen presets`.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Workflow name or API-format JSON file.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Copy the file there as well.")
    ] = None,
    metadata: Annotated[bool, typer.Option("--metadata/--no-metadata", help="Write the sidecar.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a picture and store it with its recipe."""
    request = GenerateRequest(
        prompt=prompt,
        negative=negative,
        model=model,
        workflow=workflow,
        size=size,
        width=width,
        height=height,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        scheduler=scheduler,
        preset=preset,
        force_preset=force_preset,
        style=style,
        metadata=metadata,
        caller="cli",
    )
    run(lambda: _generate(Options(ctx.obj), request, output=output, as_json=as_json))


async def _generate(
    options: Options, request: GenerateRequest, *, output: Path | None, as_json: bool
) -> None:
    _check_target(output)
    async with opened(options) as app:
        job = await app.generation.start(request, allow_paths=True)
        state = await _with_progress_bar(app, job.id)
        if state.status != "completed":
            raise state.failure
        view = await job_view(state, app)
        if as_json:
            typer.echo(json.dumps(view.model_dump(mode="json"), indent=2))
        else:
            typer.echo(job_text(state, view), err=True)
            for stored in view.outputs:
                typer.echo(stored.path or stored.download_url or stored.url)
        if output is not None:
            await _copy(state, app, output)


async def _with_progress_bar(app: App, job_id: str) -> JobState:
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


def _check_target(output: Path | None) -> None:
    """Raise BadRequest for a place that cannot take the copy, before anything is generated."""
    folder = None if output is None or output.is_dir() else output.parent
    if folder is not None and not folder.is_dir():
        raise BadRequest(f"--output {str(output)!r}: there is no folder {str(folder)!r}. Make it first.")


async def _copy(state: JobState, app: App, output: Path) -> None:
    for generation in state.generations:
        path = app.store.local_path(generation.key)
        data = None if path else await app.store.read(generation.key)
        try:
            written = await asyncio.to_thread(_write, generation, path or data, output)
            typer.echo(f"copied to {written}", err=True)
        except OSError as reason:
            stored = f"the picture is stored at {path or generation.minio_url}"
            fail(f"cannot copy to {output}: {reason.strerror}; {stored}", code=EXIT_BAD_INPUT)


def _write(generation: Generation, source: Path | bytes | None, output: Path) -> Path:
    """Write the copy; its name says what it is, whatever extension was asked for."""
    target = output / generation.key.rsplit("/", 1)[-1] if output.is_dir() else output
    if generation.index:
        target = target.with_stem(f"{target.stem}-{generation.index}")
    target = target.with_suffix(PurePath(generation.key).suffix)
    if isinstance(source, Path):
        shutil.copyfile(source, target)
    else:
        target.write_bytes(source or b"")
    return target
