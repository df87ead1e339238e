"""`comfygen serve`: the MCP server over stdio, streamable HTTP, or legacy SSE."""

from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.cli.stdio import LogFormat, LogOptions, effective_settings, run_logged, run_stdio


def serve(  # noqa: PLR0913 - each argument is an option of the command
    ctx: typer.Context,
    *,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP instead of stdio.")] = False,
    sse: Annotated[bool, typer.Option("--sse", help="Serve legacy SSE (deprecated: use --http).")] = False,
    host: Annotated[str | None, typer.Option(help="Address to bind; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; default 8765.")] = None,
    tools: Annotated[str | None, typer.Option(help="Offer only these tools: a,b,c.")] = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only", help="Offer only the tools that read.")
    ] = None,
    manage: Annotated[
        bool | None, typer.Option("--manage", help="Offer the tools that tag and delete, too.")
    ] = None,
    log_format: Annotated[LogFormat, typer.Option(help="Log as text, or as JSON lines.")] = "text",
    log_file: Annotated[Path | None, typer.Option(help="Log to this file too, not only to stderr.")] = None,
) -> None:
    """Run the MCP server. Without options it speaks stdio, which is what MCP clients start."""
    from comfygen_mcp.cli.session import EXIT_BAD_INPUT, fail

    if http and sse:
        fail("choose one of --http and --sse", code=EXIT_BAD_INPUT)
    if not (http or sse) and (host is not None or port is not None):
        fail("--host and --port belong to --http (or --sse); stdio has no address", code=EXIT_BAD_INPUT)
    log = LogOptions(log_format, log_file)
    changes = _changes(tools, read_only=read_only, manage=manage)
    if changes:
        _check_selection(ctx.obj, changes)
    if http or sse:
        _run_http(ctx.obj, log, sse=sse, address={"host": host, "port": port}, changes=changes)
    else:
        run_stdio(ctx.obj, log, changes)


def _changes(tools: str | None, *, read_only: bool | None, manage: bool | None) -> dict[str, object]:
    """Return the settings that options replace; what is not given stays as it is configured."""
    names = None if tools is None else tuple(name.strip() for name in tools.split(",") if name.strip())
    given = {"tools": names, "read_only": read_only, "manage": manage}
    return {name: value for name, value in given.items() if value is not None}


def _check_selection(config: Path | None, changes: dict[str, object]) -> None:
    """Refuse tools that are none before anybody waits for them."""
    from comfygen_mcp.cli.session import exit_code, fail
    from comfygen_mcp.errors import ComfygenError
    from comfygen_mcp.tools.selection import offered

    try:
        offered(effective_settings(config).model_copy(update=changes))
    except ComfygenError as error:
        fail(str(error), code=exit_code(error))


def _run_http(
    config: Path | None,
    log: LogOptions,
    *,
    sse: bool,
    address: dict[str, str | int | None],
    changes: dict[str, object],
) -> None:
    async def serving() -> None:
        from comfygen_mcp.config import read_environment
        from comfygen_mcp.server.http import serve_http
        from comfygen_mcp.tools.selection import offered

        settings = effective_settings(config).model_copy(update=changes)
        offered(settings)
        given = {name: value for name, value in address.items() if value is not None}
        bind = settings.http.model_copy(update=given)
        if sse:
            typer.echo("note: --sse is deprecated and will go; clients of today use --http", err=True)
        await serve_http(
            settings.model_copy(update={"http": bind}), read_environment(), sse=sse, announce=_announce
        )

    run_logged(serving, log)


def _announce(url: str) -> None:
    typer.echo(f"comfygen serves MCP at {url} (Ctrl-C stops)", err=True)
