"""The bearer token: who may use the service, and where it may be bound without one."""

import hashlib
import hmac
import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.config_fields import SHORTEST_TOKEN
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.limits import TokenBuckets, caller_of
from comfygen_mcp.server.refusal import refused

REFUSED_PER_MINUTE = 30
REFUSED_BURST = 20
"""Wrong tokens that one address may try; afterwards it is told to wait. The right token is always let in."""
OPEN_PATHS = ("/health", "/ready", "/files/", "/.well-known/")
"""What needs no token: probes, links that carry their own signature, and discovery (which finds nothing)."""
OPEN_PAGES = ("/gallery", "/gallery/")
"""Pages without any data; what they show they ask for with the token."""


def check_address(settings: HttpSettings) -> None:
    """Raise BadConfiguration when others could reach the server without knowing a good token."""
    if is_loopback(settings.host):
        return
    if settings.token is None and settings.tokens:
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


@dataclass(frozen=True)
class Holder:
    """Who came with a known token: *name* is the token's, None for the one that sees everything."""

    name: str | None


class Tokens:
    """Who may use the service; without any token, everybody, as the one who sees everything."""

    def __init__(self, token: str | None, named: Mapping[str, str]) -> None:
        known = {
            **({} if token is None else {token: None}),
            **{secret: name for name, secret in named.items()},
        }
        # Digests have one length, so that a comparison does not tell the token's.
        self._known = [(_digest(secret.encode()), Holder(name)) for secret, name in known.items()]

    def holder(self, authorization: bytes | None) -> Holder | None:
        """Return whose token an `Authorization` header bears; None for a wrong one, or none."""
        if not self._known:
            return Holder(None)
        scheme, _, token = (authorization or b"").partition(b" ")
        given = _digest(token.strip())
        # All are compared, whichever fits: how long it takes tells nothing.
        fitting = [holder for known, holder in self._known if hmac.compare_digest(given, known)]
        return fitting[0] if fitting and scheme.lower() == b"bearer" else None


def tokens_of(settings: HttpSettings) -> Tokens:
    """Return the tokens that the settings name."""
    named = {name: token.get_secret_value() for name, token in settings.tokens.items()}
    return Tokens(settings.token.get_secret_value() if settings.token else None, named)


class TokenCheck:
    """Lets only requests with `Authorization: Bearer <token>` through; without a token, all.

    What comes through carries `scope["state"]["trusted"]`: whether the caller may be told details.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens
        self._refused = TokenBuckets(per_minute=REFUSED_PER_MINUTE, burst=REFUSED_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization")
        trusted = self._tokens.holder(given) is not None
        if trusted or scope["path"].startswith(OPEN_PATHS) or scope["path"] in OPEN_PAGES:
            scope["state"] = {**scope.get("state", {}), "trusted": trusted}
            await self._app(scope, receive, send)
            return
        await self._refusal(scope, given)(scope, receive, send)

    def _refusal(self, scope: Scope, given: bytes | None) -> ASGIApp:
        wait_s = self._refused.take(caller_of(scope))
        if wait_s:
            return refused(429, "Too many wrong tokens. Wait.", {"Retry-After": str(math.ceil(wait_s))})
        challenge = "Bearer" if given is None else 'Bearer error="invalid_token"'
        return refused(401, "missing or wrong bearer token", {"WWW-Authenticate": challenge})


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
