"""The stdio server as a command, without the command line's libraries: clients wait for it to answer."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from comfygen_mcp.app import App
    from comfygen_mcp.config import Settings

LogFormat: TypeAlias = Literal["text", "json"]


@dataclass(frozen=True)
class LogOptions:
    """How to log; the level is a setting."""

    style: LogFormat = "text"
    file: Path | None = None


def run_stdio(
    config: Path | None, log: LogOptions | None = None, changes: Mapping[str, object] | None = None
) -> None:
    """Speak MCP on stdin and stdout until stdin ends; *changes* replace what is configured."""
    from comfygen_mcp.server.stdio import serve_stdio

    def open_configured() -> "AbstractAsyncContextManager[App]":
        from comfygen_mcp.app import open_app
        from comfygen_mcp.config import read_environment

        return open_app(settings(), read_environment())

    def settings() -> "Settings":
        return effective_settings(config).model_copy(update=dict(changes or {}))

    async def serving() -> None:
        await serve_stdio(open_configured, settings)

    run_logged(serving, log or LogOptions())


def run_logged(serving: Callable[[], Awaitable[None]], log: LogOptions) -> None:
    """Run *serving* until it ends; our errors become an exit code."""
    import anyio

    from comfygen_mcp.errors import ComfygenError
    from comfygen_mcp.server.logs import logging_to

    try:
        with logging_to(style=log.style, file=log.file):
            anyio.run(serving)
    except ComfygenError as error:
        from comfygen_mcp.cli.session import exit_code, fail

        fail(str(error), code=exit_code(error))


def effective_settings(config: Path | None) -> "Settings":
    from comfygen_mcp.config import load_settings, read_environment
    from comfygen_mcp.server.logs import set_level

    settings = load_settings(environ=read_environment(), cwd=Path.cwd(), config_file=config).settings
    set_level(settings.log_level)
    return settings
