"""MCP over stdin and stdout, until stdin ends or a signal comes."""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from comfygen_mcp.server.build import build_server
from comfygen_mcp.server.shared import OpenAppContext, SharedApp
from comfygen_mcp.signals import on_signal

if TYPE_CHECKING:
    from comfygen_mcp.config import Settings


async def serve_stdio(open_app: OpenAppContext, settings: "Callable[[], Settings] | None" = None) -> None:
    """Serve one client; running jobs are stopped on their hosts before this returns, or the process ends."""
    shared = SharedApp(open_app)
    ending: list[asyncio.Task[None]] = []

    def end() -> None:
        if ending:
            os._exit(1)
        ending.append(asyncio.create_task(_end(shared)))

    with on_signal(end, afterwards=0):
        try:
            await build_server(shared.borrowed, settings=settings).run_stdio_async()
        finally:
            await shared.aclose()


async def _end(shared: SharedApp) -> None:
    """Close everything, then leave at once: a thread that reads stdin can be neither cancelled nor joined."""
    await shared.aclose()
    os._exit(0)
