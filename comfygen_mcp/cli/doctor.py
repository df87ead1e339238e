"""`comfygen doctor`: what is configured, reachable and missing, and how to mend each."""

import json
from typing import Annotated

import typer

from comfygen_mcp.cli.session import EXIT_FAILED, Options, load, run
from comfygen_mcp.config import read_environment
from comfygen_mcp.services.doctor import Finding, examine, healthy


def doctor(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Look at configuration, store, hosts and models; say how to mend what is wrong."""
    findings = run(lambda: _examine(Options(ctx.obj)))
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], indent=2))
    else:
        _print(findings)
    if not healthy(findings):
        raise typer.Exit(EXIT_FAILED)


async def _examine(options: Options) -> list[Finding]:
    from comfygen_mcp.app import open_app

    loaded = load(options)
    file = str(loaded.file) if loaded.file else "no comfygen.yaml; the defaults hold"
    first = Finding(about="configuration", verdict="ok", found=file)
    async with open_app(loaded.settings, read_environment()) as app:
        return [first, *await examine(app.status)]


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    console = Console(highlight=False)
    for finding in findings:
        line = Text.assemble(
            (f"{finding.verdict:8}", colours[finding.verdict]), (f"{finding.about}: ", "bold"), finding.found
        )
        console.print(line, soft_wrap=True)
        if finding.fix:
            console.print(Text(f"        → {finding.fix}"), soft_wrap=True)
