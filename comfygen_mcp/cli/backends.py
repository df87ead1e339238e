"""`comfygen backends`: every configured instance with its state."""

import json
from typing import Annotated

import typer

from comfygen_mcp.cli.session import Options, opened, run
from comfygen_mcp.services.status import BackendStatus


def backends(
    ctx: typer.Context,
    probe: Annotated[bool, typer.Option("--probe", help="Ask the hosts whether they can run each.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List backends and bundled models: ok, error with its reason, or missing files."""
    run(lambda: _backends(Options(ctx.obj), probe=probe, as_json=as_json))


async def _backends(options: Options, *, probe: bool, as_json: bool) -> None:
    async with opened(options) as app:
        states = await app.status.backends(probe=probe)
    if as_json:
        typer.echo(json.dumps([state.model_dump(mode="json") for state in states], indent=2))
        return
    from comfygen_mcp.cli.tables import show_reasons, show_table

    show_table(
        ("backend", "workflow", "state", "host"),
        [(state.name, state.workflow, state_text(state), host_of(state)) for state in states],
    )
    show_reasons((state.name, reason_of(state)) for state in states)


def state_text(state: BackendStatus) -> str:
    """Return one state in words: `ok` only says that the configuration is, until the host was asked."""
    if state.error:
        return "error"
    if state.readiness is None:
        return "ok (host not asked; use --probe)" if state.configured else "host not asked"
    if state.readiness.state == "ready":
        return "ok (preview engine)" if state.readiness.preview_engine else "ok"
    return state.readiness.state


def host_of(state: BackendStatus) -> str:
    return state.readiness.host if state.readiness else state.address


def reason_of(state: BackendStatus) -> str:
    return state.error or (state.readiness.reason if state.readiness else "")
