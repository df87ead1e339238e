"""`comfygen serve`: the MCP server over stdio, streamable HTTP, or legacy SSE."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from comfygen_mcp.app import App
    from comfygen_mcp.config import Settings
    from comfygen_mcp.server.hardening import HardenedServer


def serve(
    ctx: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP instead of stdio.")] = False,
    sse: Annotated[bool, typer.Option("--sse", help="Serve legacy SSE (deprecated: use --http).")] = False,
    host: Annotated[str | None, typer.Option(help="Address to bind; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; default 8765.")] = None,
) -> None:
    """Run the MCP server. Without options it speaks stdio, which is what MCP clients start."""
    from comfygen_mcp.cli.session import EXIT_BAD_INPUT, fail

    if http and sse:
        fail("choose one of --http and --sse", code=EXIT_BAD_INPUT)
    if not (http or sse):
        if host is not None or port is not None:
            fail("--host and --port belong to --http (or --sse); stdio has no address", code=EXIT_BAD_INPUT)
        run_stdio(ctx.obj)
        return
    _run_http(ctx.obj, sse=sse, host=host, port=port)


def run_stdio(config: Path | None) -> None:
    """Speak MCP on stdin and stdout until stdin ends."""
    import anyio

    server = _server(config)
    try:
        anyio.run(server.run_stdio_async)
    except KeyboardInterrupt:
        return


def _run_http(config: Path | None, *, sse: bool, host: str | None, port: int | None) -> None:
    import anyio

    from comfygen_mcp.cli.session import exit_code, fail
    from comfygen_mcp.errors import ComfygenError
    from comfygen_mcp.server.http import serve_http

    try:
        settings = _settings(config)
        bind = settings.http.model_copy(
            update={k: v for k, v in {"host": host, "port": port}.items() if v is not None}
        )
        if sse:
            typer.echo("note: --sse is deprecated and will go; clients of today use --http", err=True)
        anyio.run(lambda: serve_http(_server(config), bind, sse=sse, announce=_announce))
    except KeyboardInterrupt:
        return
    except ComfygenError as error:
        fail(str(error), code=exit_code(error))


def _announce(url: str) -> None:
    typer.echo(f"comfygen serves MCP at {url} (Ctrl-C stops)", err=True)


def _server(config: Path | None) -> "HardenedServer":
    from comfygen_mcp.server import build_server

    def open_configured() -> "AbstractAsyncContextManager[App]":
        from comfygen_mcp.app import open_app
        from comfygen_mcp.config import read_environment

        return open_app(_settings(config), read_environment())

    return build_server(open_configured)


def _settings(config: Path | None) -> "Settings":
    from comfygen_mcp.config import load_settings, read_environment

    return load_settings(environ=read_environment(), cwd=Path.cwd(), config_file=config).settings
