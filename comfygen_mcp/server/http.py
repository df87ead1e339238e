"""The HTTP service: streamable HTTP (or legacy SSE) with Host, Origin and token checks always on."""

import hmac
import ipaddress
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.hardening import HardenedServer


async def serve_http(
    server: HardenedServer, settings: HttpSettings, *, sse: bool, announce: Callable[[str], None]
) -> None:
    """Serve until stopped; raises BadConfiguration when the address is open to others without a token."""
    import uvicorn

    app = http_app(server, settings, sse=sse)
    listener = uvicorn.Server(
        uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning")
    )
    path = "/sse" if sse else settings.path
    announce(f"http://{_shown(settings.host)}:{settings.port}{path}")
    await listener.serve()


def http_app(server: HardenedServer, settings: HttpSettings, *, sse: bool = False) -> ASGIApp:
    """Return the ASGI app, guarded as *settings* say."""
    from mcp.server.transport_security import TransportSecuritySettings

    if not is_loopback(settings.host) and settings.token is None:
        raise BadConfiguration(
            f"Refusing to listen on {settings.host} without a token: everybody on the network could use it. "
            "Set COMFYGEN_TOKEN to a long random text, or bind 127.0.0.1."
        )
    security = TransportSecuritySettings(
        allowed_hosts=[*_own_hosts(settings), *settings.allowed_hosts],
        allowed_origins=[*(f"http://{host}" for host in _own_hosts(settings)), *settings.allowed_origins],
    )
    app = (
        server.sse_app(transport_security=security, host=settings.host)
        if sse
        else server.streamable_http_app(
            streamable_http_path=settings.path, transport_security=security, host=settings.host
        )
    )
    return app if settings.token is None else TokenCheck(app, settings.token.get_secret_value())


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TokenCheck:
    """Lets only requests with `Authorization: Bearer <token>` through."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._allowed(scope):
            await self._app(scope, receive, send)
            return
        refused = JSONResponse(
            {"error": "missing or wrong bearer token"}, 401, headers={"WWW-Authenticate": "Bearer"}
        )
        await refused(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, self._expected)


def _own_hosts(settings: HttpSettings) -> list[str]:
    names = {"127.0.0.1", "localhost", "[::1]", _shown(settings.host)}
    return sorted(f"{name}:{settings.port}" for name in names) if settings.port else [f"{n}:*" for n in names]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
