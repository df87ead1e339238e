"""`comfygen models`, `comfygen loras` and `comfygen presets`: what can be chosen."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from comfygen_mcp.cli.session import Options, opened, run
from comfygen_mcp.models import LoraUse
from comfygen_mcp.presets import Preset, Presets
from comfygen_mcp.services.lora_listing import LoraView
from comfygen_mcp.services.model_view import ModelView

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Tell all about this one.")] = None,
    task: Annotated[
        str | None, typer.Option(help="Recommend models: 'edit a photo', video, inpaint, fast ...")
    ] = None,
    ready: Annotated[bool, typer.Option("--ready", help="Only those whose files are installed.")] = False,
    as_json: AsJson = False,
) -> None:
    """List models: ready, or which files are missing and where to get them."""
    if name is not None:
        run(lambda: _model(Options(ctx.obj), name, as_json=as_json))
    else:
        run(lambda: _models(Options(ctx.obj), task=task, ready=ready, as_json=as_json))


def loras(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(help="Words of the name.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Tell which fit this model.")] = None,
    limit: Annotated[int, typer.Option(help="How many to show.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the installed LoRAs: base model, strength to begin with, trigger words."""
    run(lambda: _loras(Options(ctx.obj), query=query, model=model, limit=limit, as_json=as_json))


def presets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List quality presets, styles and LoRA presets."""
    run(lambda: _presets(Options(ctx.obj), as_json=as_json))


async def _model(options: Options, name: str, *, as_json: bool) -> None:
    from comfygen_mcp.tools.model_text import detail_text

    async with opened(options) as app:
        view = await app.listing.model(name)
    typer.echo(json.dumps(view.model_dump(mode="json"), indent=2) if as_json else detail_text(view))


async def _models(options: Options, *, task: str | None, ready: bool, as_json: bool) -> None:
    from comfygen_mcp.cli.tables import show_missing, show_reasons, show_table
    from comfygen_mcp.tools.model_text import STAND_IN

    async with opened(options) as app:
        views = await (app.listing.models() if task is None else app.listing.recommended(task))
    views = [view for view in views if view.state == "ready" or not ready]
    if as_json:
        typer.echo(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
        return
    if any(view.preview_engine for view in views):
        typer.echo(f"{STAND_IN}\n")
    last = "also called" if task is None else "why"
    show_table(("model", "kind", "size", "steps", "state", last), [_model_row(view) for view in views])
    show_reasons((view.name, view.reason) for view in views)
    show_missing((view.name, view.missing) for view in views)


def _model_row(view: ModelView) -> tuple[str, ...]:
    size = f"{view.width}x{view.height}" if view.width and view.height else ""
    last = "; ".join(view.why) or ", ".join(view.aliases)
    return (view.name, view.kind or "", size, str(view.steps or ""), view.state, last)


async def _loras(
    options: Options, *, query: str | None, model: str | None, limit: int, as_json: bool
) -> None:
    from comfygen_mcp.cli.tables import show_table
    from comfygen_mcp.graph.lora_strength import STRENGTH_SCALE
    from comfygen_mcp.tools.loras import list_head

    async with opened(options) as app:
        found = await app.loras.listed(query=query, model=model, limit=limit)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2))
        return
    typer.echo(list_head(found, query))
    if found.loras:
        columns = ("LoRA", "made for", "fits", "stage", "strength", "trigger words", "title")
        show_table(columns, [_lora_row(view) for view in found.loras])
        typer.echo(f"\nUse one with --lora NAME:0.7; trigger words belong into the prompt. {STRENGTH_SCALE}")


def _lora_row(view: LoraView) -> tuple[str, ...]:
    base = f"{view.base} (by its name)" if view.guessed else view.base
    fits = {True: "yes", False: "no", None: ""}[view.fits]
    words = ", ".join(view.trigger_words)
    return (view.name, base, fits, view.stage or "", view.strength, words, view.title)


async def _presets(options: Options, *, as_json: bool) -> None:
    async with opened(options) as app:
        loaded = app.presets
    if as_json:
        typer.echo(json.dumps(loaded.model_dump(mode="json"), indent=2))
    else:
        _show_presets(loaded)


def _show_presets(loaded: Presets) -> None:
    from comfygen_mcp.cli.tables import show_table

    show_table(
        ("preset", "steps", "cfg", "sampler", "scheduler", "made for", "what for"),
        [_preset_row(name, preset) for name, preset in loaded.presets.items()],
    )
    typer.echo()
    show_table(("style", "prompt"), [(name, style.prompt) for name, style in loaded.styles.items()])
    typer.echo()
    show_table(
        ("LoRA preset", "LoRAs", "what for"),
        [
            (name, _strengths(preset.loras), preset.description)
            for name, preset in loaded.lora_presets.items()
        ],
    )


def _preset_row(name: str, preset: Preset) -> tuple[str, ...]:
    knobs = (preset.steps, preset.cfg, preset.sampler, preset.scheduler)
    made_for = "SD 1.5, SDXL" if preset.made_for == "sd" else "any model"
    return (name, *("" if knob is None else str(knob) for knob in knobs), made_for, preset.description)


def _strengths(uses: Sequence[LoraUse]) -> str:
    return ", ".join(f"{use.name}:{use.strength:g}" for use in uses)
