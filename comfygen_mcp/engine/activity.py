"""Whether anybody still uses the engine: requests, open sockets and jobs."""

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Activity:
    """Counts what is open, and sets *idle* once nothing was for long enough."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._open = 0
        self._last = time.monotonic()
        self.idle = asyncio.Event()

    def touch(self) -> None:
        self._last = time.monotonic()

    async def watch(self, idle_s: float) -> None:
        left = idle_s
        while left > 0:
            await asyncio.sleep(left)
            left = self._left(idle_s)
        self.idle.set()

    def counted(self, app: ASGIApp) -> ASGIApp:
        """Wrap *app* so that its requests and sockets count."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await app(scope, receive, send)
                return
            self._open += 1
            try:
                await app(scope, receive, send)
            finally:
                self._open -= 1
                self.touch()

        return counting

    def _left(self, idle_s: float) -> float:
        if self._open or self._is_busy():
            return idle_s
        return self._last + idle_s - time.monotonic()
