"""Limits of requests: so many per caller and minute, bodies so large and no slower."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comfygen_mcp.server.refusal import refused

MOST_CALLERS = 10_000
"""Callers that are remembered at once; the longest unseen is forgotten first."""
BODY_S = 30.0
"""How long a request's body may take to arrive."""


class TokenBuckets:
    """One bucket per key: *burst* at once, refilled with *per_minute*."""

    def __init__(
        self,
        *,
        per_minute: float,
        burst: int,
        now: Callable[[], float] = time.monotonic,
        most: int = MOST_CALLERS,
    ) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._now = now
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Return 0 when *key* may go on, else the seconds until it may."""
        now = self._now()
        level, seen_at = self._buckets.get(key, (float(self._burst), now))
        level = min(level + (now - seen_at) * self._per_second, self._burst)
        wait_s = 0.0 if level >= 1 else (1 - level) / self._per_second
        self._buckets[key] = (level if wait_s else level - 1, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait_s


def caller_of(scope: Scope) -> str:
    """Return the address that a request came from; of IPv6 the network, because one caller owns it all."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


class Throttle:
    """Answers 429 to callers that ask too often; those with the token have buckets of their own."""

    def __init__(self, app: ASGIApp, buckets: TokenBuckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait_s = self._buckets.take(_bucket_of(scope)) if scope["type"] == "http" else 0.0
        if wait_s:
            seconds = math.ceil(wait_s)
            answer = refused(
                429, f"Too many requests. Try again in {seconds} s.", {"Retry-After": str(seconds)}
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _bucket_of(scope: Scope) -> str:
    trusted = scope.get("state", {}).get("trusted", False)
    return f"{caller_of(scope)} {'trusted' if trusted else 'open'}"


class BodyLimit:
    """Reads the body before the app does: 413 when it is too large, 408 when it does not come."""

    def __init__(self, app: ASGIApp, most: int, *, within_s: float = BODY_S) -> None:
        self._app = app
        self._most = most
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body: bytes | None = None
        try:
            with anyio.fail_after(self._within_s):
                body = await self._body(scope, receive)
        except TimeoutError:
            await refused(408, "The request's body did not arrive in time.")(scope, receive, send)
            return
        if body is None:
            await refused(413, f"The request is larger than {self._most} bytes.")(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the whole body, or None when it is too large."""
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._most:
            return None
        parts = bytearray()
        more = True
        while more and len(parts) <= self._most:
            message = await receive()
            parts += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(parts) if len(parts) <= self._most else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
