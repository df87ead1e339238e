"""The Host and Origin of every request, also those of our own routes: a web page elsewhere gets nothing."""

from urllib.parse import urlsplit

from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from comfygen_mcp.config import HttpSettings


def security_of(settings: HttpSettings) -> TransportSecuritySettings:
    """Return which Host and Origin headers are our own, or were allowed."""
    hosts = _own_hosts(settings)
    origins = [f"http://{host}" for host in hosts]
    if settings.public_url:
        public = urlsplit(settings.public_url)
        default_port = {"http": 80, "https": 443}[public.scheme]
        hosts += [public.netloc, f"{public.hostname}:{public.port or default_port}"]
        origins.append(f"{public.scheme}://{public.netloc}")
    return TransportSecuritySettings(
        allowed_hosts=[*hosts, *settings.allowed_hosts],
        allowed_origins=[*origins, *settings.allowed_origins],
    )


def shown_host(host: str) -> str:
    """Return *host* as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


class HostCheck:
    """Answers 421 to a foreign Host and 403 to a foreign Origin, before anything else happens."""

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._check = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._check.validate_request(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def _own_hosts(settings: HttpSettings) -> list[str]:
    names = sorted({"127.0.0.1", "localhost", "[::1]", shown_host(settings.host)})
    return [f"{name}:{settings.port}" for name in names] + (names if settings.port == 80 else [])
