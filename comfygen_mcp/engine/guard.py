"""ASGI layers in front of the routes: foreign origins and hosts are refused, bodies are bounded."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygen_mcp.engine.options import MAX_BODY_BYTES
from comfygen_mcp.engine.replies import empty


class OriginGuard:
    """Refuses what a web page of another site could send (ComfyUI's rule), and names that are not loopback.

    The second rule is ours: a page may rebind its own host name to 127.0.0.1, and then Origin equals Host.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._refused(headers):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await empty()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refused(self, headers: Headers) -> bool:
        host = _split("//" + headers.get("host", ""))
        if self._loopback_only and not _is_loopback(host.hostname):
            return True
        if headers.get("sec-fetch-site") == "cross-site":
            return True
        origin = headers.get("origin")
        return bool(origin) and _is_loopback(host.hostname) and _differ(host, _split(origin or ""))


class BodyLimit:
    """Answers 413 to a request body above 100 MiB, announced or streamed."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit:
            await self._too_large()(scope, receive, send)
            return
        try:
            await self._app(scope, self._counting(receive), send)
        except _TooLarge:
            await self._too_large()(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise _TooLarge
            return message

        return counted

    def _too_large(self) -> Response:
        text = f"Maximum request body size {self._limit} exceeded."
        return Response(
            text, 413, headers={"content-type": "text/plain; charset=utf-8", "connection": "close"}
        )


class _TooLarge(Exception):
    pass


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _differ(host: SplitResult, origin: SplitResult) -> bool:
    """Compare names, and ports where both sides carry one."""
    if host.hostname != origin.hostname:
        return True
    return _port(host) is not None and _port(origin) is not None and _port(host) != _port(origin)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _port(url: SplitResult) -> int | None:
    try:
        return url.port
    except ValueError:
        return None


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the handshake itself; closing before accepting it is answered with 403
        await send({"type": "websocket.close", "code": 1008})
    else:
        await empty(403)(scope, receive, send)
