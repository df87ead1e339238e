"""HTTP towards one ComfyUI host: bounds, authorisation, and network errors in our own words."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.comfyui.unreachable import cause_of, not_comfyui, refused_access, unreachable
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.errors import BadRequest, UnexpectedReply
from comfygen_mcp.models import Host, JsonValue

GATEWAY_STATUSES = {502, 503, 504}


class Http:
    """The HTTP side of one host; nothing is opened before the first request."""

    def __init__(self, host: Host, timing: Timing) -> None:
        self.host = host
        self.timing = timing
        self._client = httpx.AsyncClient(
            base_url=host.url.rstrip("/"),
            headers=host.headers,
            timeout=httpx.Timeout(timing.read_s, connect=timing.connect_s),
            # Shorter than servers keep idle connections, so that a POST never meets a closing one.
            limits=httpx.Limits(keepalive_expiry=3.0),
            verify=tls_context(host.url),
            trust_env=False,
        )

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> JsonValue:
        """Return the JSON that *path* answers; None for 404."""
        response = await self.send("GET", path, params=params)
        return None if response.status_code == 404 else self.json_of(response)

    async def post(
        self, path: str, body: JsonValue, *, sending: asyncio.Event | None = None
    ) -> httpx.Response:
        """Send *body* as JSON; the status is the caller's to judge. *sending* is set when it leaves."""
        headers = {"Content-Type": "application/json"}
        watched = {"extensions": {"trace": _setting(sending)}} if sending else {}
        return await self.send("POST", path, content=encoded(body), headers=headers, **watched)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request; an absent server and a gatekeeper's answer become our errors."""
        try:
            response = await self._client.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise unreachable(self.host, cause_of(error)) from error
        self.check(response)
        return response

    def stream(self, path: str, params: Mapping[str, str]) -> AbstractAsyncContextManager[httpx.Response]:
        """Open *path* for reading in pieces; httpx's own errors pass through."""
        return self._client.stream("GET", path, params=params)

    def check(self, response: httpx.Response) -> None:
        """Raise when a proxy or gatekeeper answered in ComfyUI's place."""
        status = response.status_code
        if status in {401, 403}:
            raise refused_access(self.host, status)
        if status in GATEWAY_STATUSES:
            raise unreachable(self.host, f"a proxy answers {status} in its place")
        if response.is_redirect:
            raise not_comfyui(self.host, f"it redirects to {response.headers.get('location', '')!r}")

    def json_of(self, response: httpx.Response) -> JsonValue:
        """Return the body of a 200 as JSON."""
        path = response.request.url.path
        if response.status_code != 200:
            raise UnexpectedReply(
                f"ComfyUI answers {response.status_code} to {path}: {first_line(response.text) or 'no text'}"
            )
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("content-type", "no content type").partition(";")[0]
            raise not_comfyui(self.host, f"{path} answers {kind} instead of JSON") from error

    async def aclose(self) -> None:
        await self._client.aclose()


def _setting(sending: asyncio.Event) -> Callable[[str, object], Awaitable[None]]:
    """Return a watcher of httpx's steps that sets *sending* once there is a connection to write to."""

    async def watch(step: str, _details: object) -> None:
        if step.endswith("send_request_headers.started"):
            sending.set()

    return watch


def encoded(body: JsonValue) -> bytes:
    """Encode *body* as JSON; NaN and infinity, which JSON does not have, are refused."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise BadRequest(
            "The graph holds NaN or infinity, which ComfyUI cannot read: give every number a finite value."
        ) from error


def tls_context(url: str) -> ssl.SSLContext:
    """Return the system's trust for https; an http host never needs the cost of loading it."""
    if url.lower().startswith("https:"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
