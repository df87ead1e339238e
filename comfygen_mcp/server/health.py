"""`/health` (the process is alive) and `/ready` (it could make a picture now)."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse

from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.server.calls import Calls
from comfygen_mcp.server.shared import SharedApp
from comfygen_mcp.services.status import HostStatus

CHECK_S = 5.0
"""How long one check may take."""
FRESH_S = 1.0
"""How long a result stands for the next caller: probing writes to the store and asks a host."""


async def health(_: Request) -> JSONResponse:
    """Answer as long as the event loop runs."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


class Ready:
    """The endpoint: 200 or 503, check by check; the reasons are for callers with the token."""

    def __init__(
        self,
        shared: SharedApp,
        calls: Calls,
        *,
        on_store_failure: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._calls = calls
        self._on_store_failure = on_store_failure
        self._now = now
        self._lock = asyncio.Lock()
        self._known: dict[str, str | None] = {}
        self._known_at = float("-inf")

    async def __call__(self, request: Request) -> JSONResponse:
        problems = {"server": "it is shutting down"} if self._calls.closed else await self._problems()
        trusted = request.scope.get("state", {}).get("trusted", False)
        body = {
            "status": "not ready" if any(problems.values()) else "ready",
            "checks": {name: "failed" if problem else "ok" for name, problem in problems.items()},
        }
        if trusted:
            body["reasons"] = {name: problem for name, problem in problems.items() if problem}
        status = 503 if any(problems.values()) else 200
        return JSONResponse(body, status, headers={"Cache-Control": "no-store"})

    async def _problems(self) -> dict[str, str | None]:
        async with self._lock:
            if self._now() - self._known_at > FRESH_S:
                self._known = await self._look()
                self._known_at = self._now()
            return self._known

    async def _look(self) -> dict[str, str | None]:
        try:
            status = (await self._shared()).status
        except ComfygenError as reason:
            return {"app": str(reason)}
        store, host = await asyncio.gather(
            _within_bound(status.store_error()), _within_bound(_host_error(status.default_host()))
        )
        if store:
            self._on_store_failure()
        return {"app": None, "store": store, "host": host}


async def _host_error(looking: Awaitable[HostStatus]) -> str | None:
    return (await looking).error


async def _within_bound(check: Awaitable[str | None]) -> str | None:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check
    except TimeoutError:
        return f"no answer within {CHECK_S:.0f} s"
