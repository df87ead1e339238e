"""Serves an engine until it is told to stop or nobody uses it any more."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from comfygen_mcp.engine.app import EngineOptions, create_app
from comfygen_mcp.engine.core import Engine
from comfygen_mcp.engine.state_file import announced

SHUTDOWN_S = 1


def serve(options: EngineOptions, listener: socket.socket, state: Path) -> None:
    """Answer on *listener*; *state* exists exactly while somebody does."""
    app = create_app(options)
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_ping_interval=None,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    _EngineServer(config, app.state.engine, state).run(sockets=[listener])


class _EngineServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, engine: Engine, state: Path) -> None:
        super().__init__(config)
        self._engine = engine
        self._state = state
        self._announcement = ExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            self._announcement.enter_context(announced(self._state, _url(listener)))

    async def main_loop(self) -> None:
        idle = asyncio.create_task(self._stop_when_idle())
        try:
            await super().main_loop()
        finally:
            idle.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._announcement.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn's own raises the signal again in the end, which would turn a clean stop into a death.
        watched = (signal.SIGINT, signal.SIGTERM)
        before: dict[Any, Any] = {which: signal.signal(which, self.handle_exit) for which in watched}
        try:
            yield
        finally:
            for which, handler in before.items():
                signal.signal(which, handler)

    async def _stop_when_idle(self) -> None:
        await self._engine.activity.idle.wait()
        self.should_exit = True


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
