"""The listening socket and the HTTP server behind it, which goes down only when its work is done."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import TypeAlias

import uvicorn
from starlette.types import ASGIApp

from comfygen_mcp.errors import BadConfiguration

FLUSH_S = 2
"""How long connections get to send what they still hold, after all work has ended."""

Drain: TypeAlias = Callable[[Callable[[], bool]], Awaitable[None]]
"""Ends the work; the function it gets tells whether somebody insists (a second Ctrl-C)."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind *host* and *port*; raises BadConfiguration with the reason."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # localhost is both ::1 and 127.0.0.1: clients of either family reach the older one.
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise BadConfiguration(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Choose another with --host and --port, or stop what listens there."
        ) from error


class Listener(uvicorn.Server):
    """Stops on SIGTERM and Ctrl-C: accepts nothing new, drains, then closes what is left.

    Uvicorn's own way cuts event streams at once and ends the process by the signal.
    """

    def __init__(self, app: ASGIApp, drain: Drain, *, on_start: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                ws="none",
                # A forwarded address is the caller's own word.
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=FLUSH_S,
            )
        )
        self._drain = drain
        self._on_start = on_start
        self._stopping = False

    def stop(self) -> None:
        """Ask for the end; asked twice, nothing is waited for."""
        self.force_exit = self._stopping
        self._stopping = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def on_tick(self, counter: int) -> bool:
        if self._stopping:
            for server in self.servers:
                server.close()
            await self._drain(lambda: self.force_exit)
            self.should_exit = True
        return await super().on_tick(counter)


async def until(condition: Callable[[], bool], *, within_s: float) -> bool:
    """Wait for *condition*, looking often; False when it does not hold in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(0.02)
    return True
