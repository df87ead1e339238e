"""`comfygen check URL`: whether this client and that ComfyUI agree, shown and logged check by check."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comfygen_mcp.cli.session import EXIT_FAILED, Options, load, run
from comfygen_mcp.config import Settings, checked_url, host_of, read_environment
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import Host

if TYPE_CHECKING:
    from rich.console import Console

    from comfygen_mcp.interop.bench import Plan
    from comfygen_mcp.interop.findings import Report

_WIDE = 200
"""Columns of a table that goes to a file or another program."""


def check(  # noqa: PLR0913, PLR0917 - each option is one knob of the run
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of a ComfyUI, as a browser has it.")],
    model: Annotated[
        str | None, typer.Option(help="Checkpoint on that server: also run a sampler and image to image.")
    ] = None,
    lora: Annotated[str | None, typer.Option(help="LoRA on that server: also run it, with --model.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="Log file; default: comfygen-check-ID.log in this folder.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one run on the server may take.")] = 300,
    config: Annotated[
        Path | None, typer.Option(help="Use this comfygen.yaml for the server's sign-in.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a ComfyUI from end to end with small jobs of our own; nobody else's job is touched."""
    from comfygen_mcp.interop.bench import Plan

    plan = Plan(id=secrets.token_hex(4), model=model, lora=lora, timeout_s=timeout)
    path = log or Path(f"comfygen-check-{plan.id}.log")
    options = Options(config or ctx.obj)
    report = run(lambda: _check(options, url, plan, path))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _print(report)
    if report.failed:
        raise typer.Exit(EXIT_FAILED)


async def _check(options: Options, url: str, plan: "Plan", log: Path) -> "Report":
    from comfygen_mcp.interop.journal import open_journal
    from comfygen_mcp.interop.suite import check_server

    host = _host(url, load(options).settings)
    console = _console(stderr=True)
    with open_journal(log) as journal, console.status("looking at the server") as status:
        report = await check_server(host, plan, journal, announce=status.update)
    return report.model_copy(update={"log": str(log)})


def _host(url: str, settings: Settings) -> Host:
    """Return the host, signed in as the configured backend of the same address is."""
    try:
        wanted = checked_url(url if "://" in url else f"http://{url}")
    except ValueError as error:
        raise BadRequest(f"URL {url!r} {error}.") from None
    for block in settings.backends.values():
        if wanted in block.urls:
            return host_of(block, read_environment()).model_copy(update={"url": wanted})
    return Host(url=wanted)


def _print(report: "Report") -> None:
    from comfygen_mcp.interop.table import show

    show(report, _console())


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
