"""Every HTTP request: its id, its line in the log, and its count."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygen_mcp.config_fields import OWN_PATHS
from comfygen_mcp.server.logs import request_id

NO_ANSWER = 499
"""Noted as the status of a request whose client left before it was answered."""

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndedRequest:
    """One request; *route* is one of few names, never a path with a key in it."""

    method: str
    route: str
    status: int
    seconds: float


class RequestLog:
    """Gives each request an id (the caller's X-Request-Id, when it has one) and tells when it has ended."""

    def __init__(self, app: ASGIApp, path: str, on_end: Callable[[EndedRequest], None]) -> None:
        self._app = app
        self._path = path
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        identifier = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        status = NO_ANSWER

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", identifier.encode())]
            await send(message)

        began = time.monotonic()
        reset = request_id.set(identifier)
        try:
            await self._app(scope, receive, noting)
        finally:
            self._ended(scope, status, time.monotonic() - began)
            request_id.reset(reset)

    def _ended(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        request = EndedRequest(method, self._route(scope["path"]), status, seconds)
        fields = {
            "method": request.method,
            "route": request.route,
            "status": request.status,
            "client": (scope.get("client") or ("unknown",))[0],
            "duration_ms": round(seconds * 1000),
        }
        _log.info("request", extra=fields)
        self._on_end(request)

    def _route(self, path: str) -> str:
        if path == self._path:
            return "mcp"
        first = path.split("/")[1]
        return first if first in OWN_PATHS else "other"
