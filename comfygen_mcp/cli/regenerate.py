"""`comfygen regenerate`: a stored picture once more, exactly or with changes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.cli.knobs import AsJson, DryRun, Output
from comfygen_mcp.cli.session import Options, opened, run
from comfygen_mcp.compare import NONE
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import LoraUse
from comfygen_mcp.services.regeneration import wanted_seed
from comfygen_mcp.services.regeneration_request import Changes


def regenerate(  # noqa: PLR0913, PLR0917 - each option is one knob of the recipe
    ctx: typer.Context,
    generation_id: Annotated[str, typer.Argument(metavar="ID", help="Id, or at least 8 digits of it.")],
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    negative: Annotated[
        str | None, typer.Option("--negative", "--negative-prompt", help="Something else to avoid.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "--backend", "-m", help="Another model; it brings its own settings."),
    ] = None,
    size: Annotated[str | None, typer.Option(help="Another size: 1216x832, 16:9, square ...")] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", help="Another number of pictures at once.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Another seed; 0 draws a new one.")] = None,
    steps: Annotated[int | None, typer.Option(help="Other sampling steps.")] = None,
    cfg: Annotated[float | None, typer.Option(help="Another guidance.")] = None,
    sampler: Annotated[str | None, typer.Option(help="Another sampler.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Another scheduler.")] = None,
    lora: Annotated[
        list[str] | None,
        typer.Option("--lora", help="NAME or NAME:STRENGTH instead of those it had, or none; repeatable."),
    ] = None,
    no_loras: Annotated[bool, typer.Option("--no-loras", help="Leave all LoRAs out.")] = False,
    denoise: Annotated[float | None, typer.Option(help="Another denoise.")] = None,
    output: Output = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a stored picture again and tell whether it came out identical.

    What is given is changed; everything else is kept from the original, its seed as well.
    """

    def changes() -> Changes:
        return Changes(
            prompt=prompt,
            negative=negative,
            model=model,
            size=size,
            count=count,
            seed=wanted_seed(seed),
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            scheduler=scheduler,
            loras=_loras(lora or (), none=no_loras),
            denoise=denoise,
        )

    options = Options(ctx.obj)
    if dry_run:
        run(lambda: _plan(options, generation_id, changes(), as_json=as_json))
    else:
        run(lambda: _regenerate(options, generation_id, changes(), output=output, as_json=as_json))


def _loras(written: Sequence[str], *, none: bool) -> tuple[LoraUse, ...] | None:
    """Return the LoRAs to use, `()` for none at all, or None for those of the original."""
    left_out = none or NONE in written
    named = [name for name in written if name != NONE]
    if left_out and named:
        raise BadRequest(f"--lora {named[0][:80]} contradicts no LoRAs at all. Give one of them.")
    return parse_loras(named) if left_out or named else None


async def _plan(options: Options, generation_id: str, changes: Changes, *, as_json: bool) -> None:
    from comfygen_mcp.cli.running import print_plan

    async with opened(options) as app:
        plan = await app.regeneration.plan(await app.gallery.find(generation_id), changes)
    print_plan(plan, as_json=as_json)


async def _regenerate(
    options: Options, generation_id: str, changes: Changes, *, output: Path | None, as_json: bool
) -> None:
    from comfygen_mcp.cli.copies import check_target, copy_outputs
    from comfygen_mcp.cli.running import with_progress_bar
    from comfygen_mcp.tools.regenerate import outcome_lines, raise_with_advice, regeneration_view
    from comfygen_mcp.tools.results import job_text

    check_target(output)
    async with opened(options) as app:
        original = await app.gallery.find(generation_id)
        started = await app.regeneration.start(original, changes, caller="cli")
        if started.announcement is not None:
            typer.echo(started.announcement, err=True)
        state = await with_progress_bar(app, started.job.id)
        raise_with_advice(state)
        view = await regeneration_view(app, original, state, most=None)
        if as_json:
            typer.echo(json.dumps(view.model_dump(mode="json"), indent=2))
        else:
            typer.echo("\n".join([job_text(state, view), *outcome_lines(original, state, view)]), err=True)
            for stored in view.outputs:
                typer.echo(stored.path or stored.download_url or stored.url)
        if output is not None:
            await copy_outputs(state, app, output)
