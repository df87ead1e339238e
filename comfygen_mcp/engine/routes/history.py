"""/history: what ran, oldest first, in memory only."""

from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.replies import empty, json_reply, malformed_is_trouble, read_json
from comfygen_mcp.engine.routes.door import engine_of


async def get_history(request: Request) -> Response:
    query = request.query_params
    with malformed_is_trouble():
        max_items = int(query["max_items"]) if "max_items" in query else None
        offset = int(query.get("offset", -1))
    return json_reply(engine_of(request).queue.history_page(max_items, offset))


async def get_entry(request: Request) -> Response:
    prompt_id = request.path_params["prompt_id"]
    history = engine_of(request).queue.history
    return json_reply({prompt_id: history[prompt_id]} if prompt_id in history else {})


async def post_history(request: Request) -> Response:
    history = engine_of(request).queue.history
    body = await read_json(request)
    with malformed_is_trouble():
        if body.get("clear"):
            history.clear()
        for prompt_id in body.get("delete", ()):
            history.pop(prompt_id, None)
    return empty()
