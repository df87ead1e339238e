"""`comfygen`: the list of commands."""

from pathlib import Path
from typing import Annotated, Any

import typer

from comfygen_mcp import __version__

app = typer.Typer(
    name="comfygen",
    help="Pictures from ComfyUI, stored with their recipes; for AI agents (MCP) and for people.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run_commands() -> None:
    """Run the command that the arguments name."""
    _register()
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"comfygen {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Use this comfygen.yaml instead of searching.")] = None,
    _version_shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Keep what stands before the command."""
    ctx.obj = config


def _register() -> None:
    from comfygen_mcp.cli.backends import backends
    from comfygen_mcp.cli.check import check
    from comfygen_mcp.cli.compare import compare
    from comfygen_mcp.cli.config import app as config
    from comfygen_mcp.cli.doctor import doctor
    from comfygen_mcp.cli.edit import edit, upscale, video
    from comfygen_mcp.cli.engine import app as engine
    from comfygen_mcp.cli.gallery import app as gallery
    from comfygen_mcp.cli.generate import generate
    from comfygen_mcp.cli.listings import loras, models, presets
    from comfygen_mcp.cli.regenerate import regenerate
    from comfygen_mcp.cli.serve import serve
    from comfygen_mcp.cli.workflows import app as workflows
    from comfygen_mcp.cli.workflows import run_workflow

    commands: list[Any] = [
        generate,
        edit,
        upscale,
        video,
        compare,
        regenerate,
        serve,
        models,
        loras,
        presets,
        backends,
        doctor,
        check,
    ]
    for command in commands:
        app.command()(command)
    app.command("run")(run_workflow)
    app.add_typer(gallery, name="gallery")
    app.add_typer(workflows, name="workflows")
    app.add_typer(config, name="config")
    app.add_typer(engine, name="engine")
