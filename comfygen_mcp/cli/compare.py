"""`comfygen compare`: one prompt made in several ways, side by side in a folder and on a contact sheet."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.compare_folder import ComparisonFolder
from comfygen_mcp.cli.compare_progress import followed
from comfygen_mcp.cli.gallery_filters import each
from comfygen_mcp.cli.knobs import AsJson, Negative, SizeText
from comfygen_mcp.cli.session import EXIT_BAD_INPUT, Options, fail, opened, run
from comfygen_mcp.compare import CompareRequest
from comfygen_mcp.compare_axes import parse_axes
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.compare_results import failure_text, headline, planned_text
from comfygen_mcp.tools.compare_views import CompareView, compare_view, planned_view
from comfygen_mcp.tools.results import PREVIEW_ENGINE_TEXT

Values = Annotated[list[str] | None, typer.Option(help="One for all cells, or several to compare: 4,8,12.")]


def compare(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What the pictures show.")] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--models", "--backends", "-m", help="a,b,c from `comfygen models`."),
    ] = None,
    presets: Annotated[list[str] | None, typer.Option(help="Quality presets to compare: none,draft.")] = None,
    loras: Annotated[
        list[str] | None, typer.Option("--loras", "--lora", help="LoRAs to compare: none,ink,pen:0.7.")
    ] = None,
    strengths: Annotated[list[str] | None, typer.Option(help="Strengths of the LoRA: 0.4,0.8.")] = None,
    seed: Annotated[
        list[str] | None, typer.Option(help="One for all cells; default: one is drawn for all.")
    ] = None,
    seeds: Annotated[
        list[str] | None, typer.Option(help="Several to compare: 1,2,3; each 0 or -1 draws one.")
    ] = None,
    steps: Values = None,
    cfg: Values = None,
    style: Annotated[str | None, typer.Option(help="Style from `comfygen presets`.")] = None,
    negative: Negative = None,
    size: SizeText = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the folder of this comparison goes.")
    ] = Path("comparisons"),
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet/--no-contact-sheet", help="Draw all pictures on one sheet.")
    ] = True,
    resume: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on with an interrupted or partly failed comparison.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the cells; send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make one prompt with several models or settings, and draw a contact sheet.

    One seed is drawn for all; of the settings only what is given here is forced on the models. At most two
    options with several values: they become rows and columns.
    """
    if seed is not None and seeds is not None:
        fail(
            f"--seed {','.join(seed)[:80]} contradicts --seeds {','.join(seeds)[:80]}. Give --seed for all "
            "cells, or --seeds to compare, not both.",
            code=EXIT_BAD_INPUT,
        )
    axes = {
        "models": _listed(models),
        "presets": _listed(presets),
        "loras": _listed(loras),
        "strengths": _listed(strengths),
        "seeds": _listed(seeds if seed is None else seed),
        "steps": _listed(steps),
        "cfg": _listed(cfg),
    }

    def request() -> CompareRequest:
        return CompareRequest(
            prompt=prompt or "",
            negative=negative,
            style=style,
            size=size,
            axes=parse_axes(axes),
            contact_sheet=contact_sheet,
            caller="cli",
        )

    if resume is not None:
        given = any(axes.values()) or (prompt, negative, style, size) != (None,) * 4
        run(lambda: _resume(Options(ctx.obj), resume, given=given, output=output, as_json=as_json))
    elif dry_run:
        run(lambda: _plan(Options(ctx.obj), request(), as_json=as_json))
    else:
        run(lambda: _compare(Options(ctx.obj), request(), output=output, as_json=as_json))


def _listed(written: list[str] | None) -> list[str] | None:
    """Split at commas; what was not given is None."""
    return None if written is None else list(each(written))


async def _plan(options: Options, request: CompareRequest, *, as_json: bool) -> None:
    async with opened(options) as app:
        comparison = await app.comparisons.plan(request)
    seeds = ",".join(dict.fromkeys(str(cell.seed) for cell in comparison.cells))
    how = f"the same command without --dry-run, and with --seed {seeds}, makes exactly these"
    view = planned_view(comparison).model_copy(update={"next": how})
    if as_json:
        typer.echo(json.dumps(view.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{planned_text(comparison, view)}\n{how[0].upper()}{how[1:]}.")


async def _compare(options: Options, request: CompareRequest, *, output: Path, as_json: bool) -> None:
    async with opened(options) as app:
        ComparisonFolder.check(output)
        await _to_its_end(app, await app.comparisons.start(request), output, as_json=as_json)


async def _resume(options: Options, name: str, *, given: bool, output: Path, as_json: bool) -> None:
    if given:
        raise BadRequest(
            "--resume goes on with a comparison as it was asked for. Leave out everything but --output and "
            "--json, or leave out --resume for a new one."
        )
    async with opened(options) as app:
        ComparisonFolder.check(output)
        await _to_its_end(app, await app.comparisons.resume(name), output, as_json=as_json)


async def _to_its_end(app: App, state: ComparisonState, output: Path, *, as_json: bool) -> None:
    comparison_id = state.comparison.id
    folder = ComparisonFolder(app.store, state.comparison, output)
    try:
        state = await followed(app, state, folder)
    except asyncio.CancelledError:
        typer.echo(f"what is done is kept; go on with: {resume_words(comparison_id, output)}", err=True)
        raise
    view = await compare_view(state, app)
    if view.done < view.total:
        view = view.model_copy(update={"next": resume_words(comparison_id, output)})
    failed = state.comparison.status == "failed"
    if failed and state.failure is BadRequest:
        view = view.model_copy(update={"next": "ask for something else; resuming would end the same way"})
    if as_json:
        shown = {**view.model_dump(mode="json"), "folder": str(folder.path.absolute())}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        if not failed:
            typer.echo(_summary(view), err=True)
        typer.echo(folder.path)
    if failed:
        raise state.failure(failure_text(state.comparison, view))


def _summary(view: CompareView) -> str:
    """Return what is left to say when every cell has been told of."""
    lines = [headline(view), *(f"note: {note}" for note in view.notes)]
    if view.preview_engine:
        lines.append(PREVIEW_ENGINE_TEXT)
    if view.next is not None:
        lines.append(f"try the others again with: {view.next}")
    return "\n".join(lines)


def resume_words(comparison_id: str, output: Path) -> str:
    """Return the command that goes on with a comparison."""
    place = "" if output == Path("comparisons") else f" --output {output}"
    return f"comfygen compare --resume {comparison_id}{place}"
