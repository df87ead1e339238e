"""`comfygen models` and `comfygen presets`: what can be chosen."""

import json
from typing import Annotated

import typer

from comfygen_mcp.cli.session import Options, opened, run
from comfygen_mcp.presets import Preset
from comfygen_mcp.services.listing import ModelView

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List models: ready, or which files are missing and where to get them."""
    run(lambda: _models(Options(ctx.obj), as_json=as_json))


def presets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List quality presets and styles."""
    run(lambda: _presets(Options(ctx.obj), as_json=as_json))


async def _models(options: Options, *, as_json: bool) -> None:
    from comfygen_mcp.cli.tables import show_reasons, show_table
    from comfygen_mcp.services.listing import model_views

    async with opened(options) as app:
        views = await model_views(app.offers, app.catalogue)
    if as_json:
        typer.echo(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
        return
    show_table(
        ("model", "kind", "size", "steps", "state", "also called"), [_model_row(view) for view in views]
    )
    show_reasons((view.name, view.reason) for view in views)


def _model_row(view: ModelView) -> tuple[str, ...]:
    state = f"{view.state} (preview engine)" if view.preview_engine else view.state
    size = f"{view.width}x{view.height}" if view.width else ""
    return (view.name, view.kind or "", size, str(view.steps or ""), state, ", ".join(view.aliases))


async def _presets(options: Options, *, as_json: bool) -> None:
    from comfygen_mcp.cli.tables import show_table

    async with opened(options) as app:
        loaded = app.presets
    if as_json:
        typer.echo(json.dumps(loaded.model_dump(mode="json"), indent=2))
        return
    show_table(
        ("preset", "steps", "cfg", "sampler", "scheduler", "made for", "what for"),
        [_preset_row(name, preset) for name, preset in loaded.presets.items()],
    )
    typer.echo()
    show_table(("style", "prompt"), [(name, style.prompt) for name, style in loaded.styles.items()])


def _preset_row(name: str, preset: Preset) -> tuple[str, ...]:
    knobs = (preset.steps, preset.cfg, preset.sampler, preset.scheduler)
    made_for = "SD 1.5, SDXL" if preset.made_for == "sd" else "any model"
    return (name, *("" if knob is None else str(knob) for knob in knobs), made_for, preset.description)
