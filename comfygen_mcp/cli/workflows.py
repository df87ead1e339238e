"""`comfygen workflows` and `comfygen run`: what workflows there are, what they take, running any."""

import json
from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.cli.knobs import AsJson, DryRun, Lora, Output
from comfygen_mcp.cli.running import run_request
from comfygen_mcp.cli.session import EXIT_FAILED, Options, opened, run
from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.editor_format import is_editor_format
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import JsonValue
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.workflow_checks import WorkflowCheck
from comfygen_mcp.services.workflows import WorkflowCall, WorkflowRow

_PICTURES = (".png", ".webp")

app = typer.Typer(name="workflows", help="Workflows: list them, show one, check all against the server.")


@app.callback(invoke_without_command=True)
def workflows(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Workflows: list them, show one, check all against the server."""
    if ctx.invoked_subcommand is None:
        list_(ctx, as_json=as_json)


@app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the workflows: ready, or why not."""
    run(lambda: _list(Options(ctx.obj), as_json=as_json))


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A workflow, or its JSON file.")],
    as_json: AsJson = False,
) -> None:
    """Show what can be set in a workflow: type, default, range, choices."""
    run(lambda: _show(Options(ctx.obj), name, as_json=as_json))


@app.command()
def check(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Fill every workflow with its defaults and check it against the server; nothing is run."""
    checks = run(lambda: _check(Options(ctx.obj)))
    if as_json:
        typer.echo(json.dumps([found.model_dump(mode="json") for found in checks], indent=2))
    else:
        _show_checks(checks)
    if any(found.verdict in {"problems", "broken"} for found in checks):
        raise typer.Exit(EXIT_FAILED)


def run_workflow(  # noqa: PLR0913, PLR0917 - each option is one part of the call
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A workflow, a JSON file (API or editor), or a picture."),
    ],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="Set a parameter, or an input: 3.steps=8."),
    ] = None,
    lora: Lora = None,
    output: Output = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run any workflow, and store what comes out."""
    options = Options(ctx.obj)
    request = run(lambda: _request(options, source, param or [], lora or []))
    run_request(options, lambda: request, output=output, as_json=as_json, dry_run=dry_run)


async def _list(options: Options, *, as_json: bool) -> None:
    from comfygen_mcp.cli.tables import show_reasons, show_table

    async with opened(options) as opened_app:
        rows = await opened_app.workflows.list()
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
        return
    show_table(
        ("workflow", "kind", "state", "from", "family"),
        [(row.name, row.kind or "", row.state, row.source, _family(row)) for row in rows],
    )
    show_reasons((row.name, row.reason) for row in rows if row.state != "missing files")
    if any(row.state == "missing files" for row in rows):
        typer.echo("\n`comfygen models NAME` tells which files are missing and where to download them.")


def _family(row: WorkflowRow) -> str:
    return "" if row.family == row.name else row.family


async def _show(options: Options, name: str, *, as_json: bool) -> None:
    from comfygen_mcp.tools.workflows import description_text, parameter_text

    async with opened(options) as opened_app:
        found = await opened_app.workflows.describe(name, any_path=True)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2))
        return
    typer.echo(description_text(found))
    for known in found.parameters:
        if "." in known.name:
            typer.echo(f"  {parameter_text(known)}")


async def _check(options: Options) -> list[WorkflowCheck]:
    async with opened(options) as opened_app:
        return await opened_app.workflows.check_all()


def _show_checks(checks: list[WorkflowCheck]) -> None:
    from comfygen_mcp.cli.tables import show_reasons, show_table
    from comfygen_mcp.services.catalogue import missing_text

    show_table(
        ("workflow", "verdict", "problems", "files missing"),
        [
            (found.name, found.verdict, str(len(found.problems) or ""), str(len(found.missing) or ""))
            for found in checks
        ],
    )
    show_reasons((found.name, problem) for found in checks for problem in found.problems)
    show_reasons((found.name, missing_text(found.missing)) for found in checks if found.missing)


async def _request(options: Options, source: str, params: list[str], loras: list[str]) -> GenerateRequest:
    given = {**_source(source), "params": dict(_parameter(text) for text in params)}
    call = WorkflowCall.model_validate({**given, "loras": parse_loras(loras), "caller": "cli"})
    async with opened(options) as opened_app:
        return await opened_app.workflows.request_of(call, any_path=True)


def _source(source: str) -> dict[str, JsonValue]:
    """Tell a name, a file with metadata of ours, a file of the editor and a picture apart."""
    path = Path(source)
    if path.suffix.lower() in _PICTURES:
        return {"from_image": source}
    if path.suffix == ".json" and path.is_file():
        raw = _json(path)
        if is_editor_format(raw):
            return {"graph": raw}
    return {"name": source}


def _json(path: Path) -> JsonValue:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadWorkflow(f"{path.name} cannot be read as JSON: {error}.") from error


def _parameter(text: str) -> tuple[str, JsonValue]:
    """Read `name=value`; a value is a JSON list or object, or text that its parameter makes a number of."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadRequest(f"--param {text[:80]!r} is not NAME=VALUE, such as steps=8 or 3.cfg=2.5.")
    if not value.startswith(("[", "{")):
        return name.strip(), value
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value
