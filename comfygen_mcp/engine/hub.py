"""The open WebSockets by client id, and the one ordered stream of messages to them."""

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

SEND_TIMEOUT_S = 10
PREVIEW_IMAGE = 1
PREVIEW_IMAGE_WITH_METADATA = 4
JPEG = 1


@dataclass
class Socket:
    channel: WebSocket
    flags: dict[str, Any] = field(default_factory=dict[str, Any])


class Hub:
    """Sends in the order of posting, from any thread; to one client id, or to everybody for None.

    Registration has ComfyUI's own flaw on purpose, because clients must live with it: when a client id is
    connected twice and the older socket closes, the newer one is forgotten too and hears nothing again.
    """

    def __init__(self) -> None:
        self._sockets: dict[str, Socket] = {}
        self._outbox: asyncio.Queue[tuple[str | bytes, str | None]] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def publish(self) -> None:
        """Deliver until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            message, client_id = await self._outbox.get()
            for socket in self._addressed(client_id):
                await _deliver(socket.channel, message)

    def join(self, client_id: str, channel: WebSocket) -> Socket:
        socket = self._sockets[client_id] = Socket(channel)
        return socket

    def leave(self, client_id: str) -> None:
        self._sockets.pop(client_id, None)

    def wants_preview_metadata(self, client_id: str | None) -> bool:
        socket = self._sockets.get(client_id or "")
        return bool(socket and socket.flags.get("supports_preview_metadata"))

    def post(self, kind: str, data: dict[str, Any], client_id: str | None) -> None:
        self._put(json.dumps({"type": kind, "data": data}), client_id)

    def post_preview(self, jpeg: bytes, client_id: str | None) -> None:
        self._put(struct.pack(">II", PREVIEW_IMAGE, JPEG) + jpeg, client_id)

    def post_preview_with_metadata(
        self, jpeg: bytes, metadata: dict[str, Any], client_id: str | None
    ) -> None:
        described = json.dumps({**metadata, "image_type": "image/jpeg"}).encode()
        header = struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(described))
        self._put(header + described + jpeg, client_id)

    def _put(self, message: str | bytes, client_id: str | None) -> None:
        put: Callable[..., None] = self._outbox.put_nowait
        if self._loop is None or _running_loop() is self._loop:
            put((message, client_id))
        else:
            self._loop.call_soon_threadsafe(put, (message, client_id))

    def _addressed(self, client_id: str | None) -> list[Socket]:
        if client_id is None:
            return list(self._sockets.values())
        socket = self._sockets.get(client_id)
        return [socket] if socket else []


async def _deliver(channel: WebSocket, message: str | bytes) -> None:
    if channel.application_state is not WebSocketState.CONNECTED:
        return
    # A client that stopped reading must not hold up the others; it is cut off like a broken connection.
    with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
        sending = channel.send_text(message) if isinstance(message, str) else channel.send_bytes(message)
        await asyncio.wait_for(sending, SEND_TIMEOUT_S)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
