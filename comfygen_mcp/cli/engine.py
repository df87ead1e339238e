"""`comfygen engine`: the embedded engine by hand; it otherwise starts and stops by itself."""

import json
from typing import Annotated

import typer

from comfygen_mcp import __version__
from comfygen_mcp.cli.session import Options, load, run
from comfygen_mcp.models import Host

app = typer.Typer(
    help="The embedded preview engine, which normally starts and stops by itself.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def start(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Start the engine (or find it running) and print its address."""
    from comfygen_mcp.comfyui.embedded import ensure_engine

    async def started() -> Host:
        engine = load(Options(ctx.obj)).settings.engine
        return await ensure_engine(engine.folder, idle_s=engine.idle_s, version=__version__)

    url = run(started).url
    typer.echo(json.dumps({"url": url}) if as_json else url)


@app.command()
def stop(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Stop the engine if it is running."""
    from comfygen_mcp.comfyui.embedded import stop_engine

    async def stopped() -> bool:
        return await stop_engine(load(Options(ctx.obj)).settings.engine.folder)

    was_running = run(stopped)
    if as_json:
        typer.echo(json.dumps({"stopped": was_running}))
    else:
        typer.echo("stopped" if was_running else "it was not running")
