"""The one app of a running server: opened when it is first needed, the same for everybody, closed once."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from comfygen_mcp.errors import JobCancelled

if TYPE_CHECKING:
    from comfygen_mcp.app import App

OpenAppContext: TypeAlias = "Callable[[], AbstractAsyncContextManager[App]]"


class SharedApp:
    """Opens the app at the first call; an opening that failed is tried anew at the next one."""

    def __init__(self, open_app: OpenAppContext) -> None:
        self._open_app = open_app
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()
        self._app: App | None = None
        self._closed = False

    async def __call__(self) -> "App":
        async with self._lock:
            if self._closed:
                raise JobCancelled("The server is shutting down. Call again when it is back.")
            if self._app is None:
                self._app = await self._stack.enter_async_context(self._open_app())
            return self._app

    @asynccontextmanager
    async def borrowed(self) -> "AsyncGenerator[App]":
        """Lend the app to a part of the server that would otherwise open, and close, its own."""
        yield await self()

    async def aclose(self) -> None:
        """Close what was opened: running jobs are cancelled on their hosts. Nothing opens afterwards."""
        async with self._lock:
            self._closed = True
            self._app = None
            await self._stack.aclose()
