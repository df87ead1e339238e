"""`comfygen config`: write a sample configuration; show what is in force and why."""

import json
import shlex
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.cli.session import Options, load, run
from comfygen_mcp.config import FILE_NAME, Loaded, finds, read_environment
from comfygen_mcp.config_rows import Row, describe
from comfygen_mcp.errors import BadRequest

app = typer.Typer(help="Write a sample comfygen.yaml, or show the settings in force.", no_args_is_help=True)

_WIDE = 200
"""Columns of a table that goes to a file or another program."""


@app.command()
def init(
    path: Annotated[Path, typer.Option(help="The file to write.")] = Path(FILE_NAME),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a commented sample to start from."""

    async def write() -> None:
        written = _write_sample(path, force=force)
        typer.echo(json.dumps({"file": str(written)}) if as_json else _what_next(written))

    run(write)


@app.command()
def show(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show every setting in force and where its value came from; secrets stay hidden."""

    async def tell() -> None:
        loaded = load(Options(ctx.obj))
        rows = describe(loaded)
        if as_json:
            typer.echo(_json(loaded, rows))
        else:
            _print(loaded, rows)

    run(tell)


def _write_sample(path: Path, *, force: bool) -> Path:
    sample = files("comfygen_mcp").joinpath("data/comfygen.sample.yaml").read_bytes()
    file = path / FILE_NAME if path.is_dir() else path
    if file.exists() and not force:
        raise BadRequest(f"{file} is there already. Overwrite it with --force, or choose another --path.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sample)
    except OSError as error:
        raise BadRequest(f"{file} cannot be written: {error.strerror}. Choose another --path.") from error
    return file


def _what_next(written: Path) -> str:
    found = finds(written, environ=read_environment(), cwd=Path.cwd())
    option = "" if found else f"--config {shlex.quote(str(written))} "
    return (
        f"Wrote {written}. Edit it, then run: comfygen {option}config show\n"
        "Its blocks name a ComfyUI at 127.0.0.1:8188. The preview engine no longer stands in for it until "
        "they are removed."
    )


def _json(loaded: Loaded, rows: list[Row]) -> str:
    content = {
        "file": str(loaded.file) if loaded.file else None,
        "settings": [asdict(row) for row in rows],
        "notes": list(loaded.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _print(loaded: Loaded, rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.setting), Text(row.value), Text(row.source))
    typer.echo(f"File: {loaded.file or 'none (comfygen config init writes a sample)'}")
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)
