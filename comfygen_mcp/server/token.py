"""The bearer token: who may use the service, and where it may be bound without one."""

import hashlib
import hmac
import ipaddress
import math

from starlette.types import ASGIApp, Receive, Scope, Send

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.limits import TokenBuckets, caller_of
from comfygen_mcp.server.refusal import refused

SHORTEST_TOKEN = 16
"""Characters of a token that is not to be guessed over a network."""
REFUSED_PER_MINUTE = 30
REFUSED_BURST = 20
"""Wrong tokens that one address may try; afterwards it is told to wait. The right token is always let in."""
OPEN_PATHS = ("/health", "/ready", "/files/", "/.well-known/")
"""What needs no token: probes, links that carry their own signature, and discovery (which finds nothing)."""


def check_address(settings: HttpSettings) -> None:
    """Raise BadConfiguration when others could reach the server without knowing a good token."""
    if is_loopback(settings.host):
        return
    if settings.token is None:
        raise BadConfiguration(
            f"Refusing to listen on {settings.host} without a token: everybody on the network could use it. "
            "Set COMFYGEN_TOKEN to a long random text, or bind 127.0.0.1."
        )
    length = len(settings.token.get_secret_value())
    if length < SHORTEST_TOKEN:
        raise BadConfiguration(
            f"Refusing to listen on {settings.host} with a token of {length} characters: too easily guessed. "
            f"Set COMFYGEN_TOKEN to a random text of at least {SHORTEST_TOKEN}, or bind 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TokenCheck:
    """Lets only requests with `Authorization: Bearer <token>` through; without a token, all.

    What comes through carries `scope["state"]["trusted"]`: whether the caller may be told details.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._expected = None if token is None else _digest(token.encode())
        self._refused = TokenBuckets(per_minute=REFUSED_PER_MINUTE, burst=REFUSED_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization")
        trusted = self._trusts(given)
        if trusted or scope["path"].startswith(OPEN_PATHS):
            scope["state"] = {**scope.get("state", {}), "trusted": trusted}
            await self._app(scope, receive, send)
            return
        await self._refusal(scope, given)(scope, receive, send)

    def _trusts(self, given: bytes | None) -> bool:
        if self._expected is None:
            return True
        scheme, _, token = (given or b"").partition(b" ")
        # Digests have one length, so that the comparison does not tell the token's.
        same = hmac.compare_digest(_digest(token.strip()), self._expected)
        return same and scheme.lower() == b"bearer"

    def _refusal(self, scope: Scope, given: bytes | None) -> ASGIApp:
        wait_s = self._refused.take(caller_of(scope))
        if wait_s:
            return refused(429, "Too many wrong tokens. Wait.", {"Retry-After": str(math.ceil(wait_s))})
        challenge = "Bearer" if given is None else 'Bearer error="invalid_token"'
        return refused(401, "missing or wrong bearer token", {"WWW-Authenticate": challenge})


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
