"""/ws: the stream of events of one client id."""

import json
import uuid
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from comfygen_mcp.engine.core import Engine
from comfygen_mcp.engine.hub import Socket
from comfygen_mcp.engine.json_shapes import as_dict
from comfygen_mcp.engine.routes.catalogue import features
from comfygen_mcp.engine.routes.door import engine_of


async def join(channel: WebSocket) -> None:
    engine = engine_of(channel)
    await channel.accept()
    client_id = channel.query_params.get("clientId") or uuid.uuid4().hex
    socket = engine.hub.join(client_id, channel)
    try:
        _greet(engine, client_id)
        await _listen(engine, client_id, socket)
    finally:
        engine.hub.leave(client_id)


def _greet(engine: Engine, client_id: str) -> None:
    engine.hub.post("status", {"status": engine.status(), "sid": client_id}, client_id)
    current = engine.current
    if current and current.client_id == client_id and current.last_node is not None:
        engine.hub.post("executing", {"node": current.last_node}, client_id)


async def _listen(engine: Engine, client_id: str, socket: Socket) -> None:
    """Read until the client leaves; only its first valid message may announce feature flags."""
    is_first = True
    with suppress(WebSocketDisconnect):
        while True:
            message = await socket.channel.receive()
            if message["type"] == "websocket.disconnect":
                return
            data = _parsed(message.get("text"))
            if data is None:
                continue
            if is_first and data.get("type") == "feature_flags":
                socket.flags = data.get("data") or {}
                engine.hub.post("feature_flags", features(engine.dialect), client_id)
            is_first = False


def _parsed(text: str | None) -> dict[str, Any] | None:
    try:
        return as_dict(json.loads(text or ""))
    except ValueError:
        return None
