"""One command's run: settings, console, exit codes, and clean endings on Ctrl-C and SIGTERM."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from comfygen_mcp.app import App, open_app
from comfygen_mcp.config import Loaded, load_settings, read_environment
from comfygen_mcp.errors import (
    BackendUnreachable,
    BadConfiguration,
    BadRequest,
    BadWorkflow,
    ComfygenError,
    JobCancelled,
)
from comfygen_mcp.signals import EXIT_CANCELLED, on_signal

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_UNREACHABLE = 3


@dataclass(frozen=True)
class Options:
    """What stands before the command's name."""

    config: Path | None = None


def load(options: Options) -> Loaded:
    """Return the effective settings; notes about odd variables go to standard error."""
    loaded = load_settings(environ=read_environment(), cwd=Path.cwd(), config_file=options.config)
    for note in loaded.notes:
        typer.echo(f"note: {note}", err=True)
    return loaded


@asynccontextmanager
async def opened(options: Options) -> AsyncGenerator[App]:
    """Open the app for one command."""
    async with open_app(load(options).settings, read_environment()) as app:
        yield app


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run *main* to its end; our errors become one line on standard error and an exit code.

    Ctrl-C and SIGTERM alike first stop running jobs on their host; a third one leaves at once.
    """
    try:
        return asyncio.run(_with_signals(main))
    except asyncio.CancelledError:
        fail("cancelled", code=EXIT_CANCELLED)
    except ComfygenError as error:
        fail(str(error), code=exit_code(error))


def fail(message: str, *, code: int) -> NoReturn:
    """Tell *message* on standard error and leave with *code*."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)


def exit_code(error: ComfygenError) -> int:
    match error:
        case BadRequest() | BadConfiguration() | BadWorkflow():
            return EXIT_BAD_INPUT
        case BackendUnreachable():
            return EXIT_UNREACHABLE
        case JobCancelled():
            return EXIT_CANCELLED
        case _:
            return EXIT_FAILED


async def _with_signals(main: Callable[[], Awaitable[T]]) -> T:
    task = asyncio.current_task()
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 1 and task is not None:
            task.cancel()
        elif asked == 2:
            typer.echo("still stopping the job on its host; once more leaves at once", err=True)
        elif asked > 2:
            typer.echo("error: cancelled; the job may still run on its host", err=True)
            os._exit(EXIT_CANCELLED)

    with on_signal(stop):
        return await main()
