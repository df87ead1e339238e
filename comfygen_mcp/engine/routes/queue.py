"""/queue, /interrupt and /free: what waits, and stopping it."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.replies import empty, json_reply, malformed_is_trouble, read_json
from comfygen_mcp.engine.routes.door import engine_of


async def get_queue(request: Request) -> Response:
    queue = engine_of(request).queue
    running = [queue.running.wire()] if queue.running else []
    return json_reply({"queue_running": running, "queue_pending": [item.wire() for item in queue.pending]})


async def post_queue(request: Request) -> Response:
    queue = engine_of(request).queue
    body = await read_json(request)
    with malformed_is_trouble():
        if body.get("clear"):
            queue.clear()
        for prompt_id in body.get("delete", ()):
            queue.delete(prompt_id)
    return empty()


async def post_interrupt(request: Request) -> Response:
    engine = engine_of(request)
    try:
        body: Any = json.loads(await request.body())
    except ValueError:
        body = None
    with malformed_is_trouble():
        engine.interrupt(None if body is None else body.get("prompt_id"))
    return empty()


async def post_free(request: Request) -> Response:
    engine = engine_of(request)
    body = await read_json(request)
    with malformed_is_trouble():
        if body.get("free_memory", False):
            engine.free()
    return empty()
