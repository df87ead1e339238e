"""`comfygen models` and `comfygen presets`: what can be chosen."""

import json
from typing import Annotated

import typer

from comfygen_mcp.cli.session import Options, opened, run

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List models: ready, or which files are missing and where to get them."""
    run(lambda: _models(Options(ctx.obj), as_json=as_json))


def presets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List quality presets and styles."""
    run(lambda: _presets(Options(ctx.obj), as_json=as_json))


async def _models(options: Options, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from comfygen_mcp.services.listing import model_views

    async with opened(options) as app:
        views = await model_views(app.offers, app.catalogue)
    if as_json:
        typer.echo(json.dumps([view.model_dump(mode="json") for view in views], indent=2))
        return
    table = Table("model", "kind", "size", "steps", "state", box=None, pad_edge=False)
    for view in views:
        state = f"{view.state} (preview engine)" if view.preview_engine else view.state
        size = f"{view.width}x{view.height}" if view.width else ""
        table.add_row(
            ", ".join([view.name, *view.aliases]),
            view.kind,
            size,
            str(view.steps or ""),
            f"{state}: {view.reason}" if view.reason else state,
        )
    Console().print(table)


async def _presets(options: Options, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    async with opened(options) as app:
        loaded = app.presets
    if as_json:
        typer.echo(json.dumps(loaded.model_dump(mode="json"), indent=2))
        return
    table = Table("preset", "steps", "cfg", "sampler", "scheduler", "for", box=None, pad_edge=False)
    for name, preset in loaded.presets.items():
        knobs = (preset.steps, preset.cfg, preset.sampler, preset.scheduler, preset.description)
        table.add_row(name, *("" if knob is None else str(knob) for knob in knobs))
    styles = Table("style", "prompt", box=None, pad_edge=False)
    for name, style in loaded.styles.items():
        styles.add_row(name, style.prompt)
    console = Console()
    console.print(table)
    console.print()
    console.print(styles)
