"""One WebSocket to ComfyUI, under a client id that is never used twice."""

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from comfygen_mcp.comfyui.http import tls_context
from comfygen_mcp.comfyui.shapes import mapping
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.models import Host

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

FEATURE_FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
"""Announced first: without it previews come without the id of their prompt."""


class Socket:
    """An open socket; `receive` gives its JSON messages, binary frames and nonsense are passed over."""

    def __init__(self, connection: "ClientConnection", client_id: str) -> None:
        self.client_id = client_id
        self._connection = connection

    async def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the next message, or None after *timeout_s*; ConnectionError when the socket is gone."""
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(timeout_s):
                return await self._next_message()
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise ConnectionError("the WebSocket was closed") from error

    async def close(self) -> None:
        await self._connection.close()

    async def _next_message(self) -> dict[str, Any]:
        while True:
            frame = await self._connection.recv()
            if isinstance(frame, str) and (message := _parsed(frame)):
                return message


async def open_socket(host: Host, timing: Timing) -> Socket | None:
    """Open a socket and announce our features; None when the server gives none (polling then suffices).

    A fresh id each time: on the server, the closing of an old socket silences a new one of the same id.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    client_id = str(uuid.uuid4())
    url = _socket_url(host.url, client_id)
    try:
        connection = await connect(
            url,
            additional_headers=host.headers,
            open_timeout=timing.connect_s,
            close_timeout=1,
            max_size=None,
            # Frames wait here between submit and follow; a full queue would also hold up the closing.
            max_queue=1024,
            proxy=None,
            ssl=tls_context(host.url) if url.startswith("wss:") else None,
        )
    except (OSError, TimeoutError, ValueError, WebSocketException):
        return None
    return await _greeted(Socket(connection, client_id), connection, timing)


async def _greeted(socket: Socket, connection: "ClientConnection", timing: Timing) -> Socket | None:
    """Announce our features and await the first `status`: from then on the server knows the client id."""
    from websockets.exceptions import ConnectionClosed

    try:
        await connection.send(json.dumps(FEATURE_FLAGS))
        await socket.receive(timing.connect_s)
    except (ConnectionError, ConnectionClosed):
        await socket.close()
        return None
    except asyncio.CancelledError:
        await socket.close()
        raise
    return socket


def _socket_url(base: str, client_id: str) -> str:
    scheme, _, rest = base.rstrip("/").partition("://")
    return f"{'wss' if scheme.lower() == 'https' else 'ws'}://{rest}/ws?clientId={quote(client_id)}"


def _parsed(frame: str) -> dict[str, Any]:
    try:
        return dict(mapping(json.loads(frame)))
    except ValueError:
        return {}
