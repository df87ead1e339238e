"""/prompt: take a graph, or say in ComfyUI's words why not."""

import re
import uuid
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.core import Engine, milliseconds
from comfygen_mcp.engine.input_checks import error
from comfygen_mcp.engine.replies import json_reply, malformed_is_trouble, read_json
from comfygen_mcp.engine.routes.door import engine_of, listing_of
from comfygen_mcp.engine.validation import Validation, Verdict

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SENSITIVE = ("auth_token_comfy_org", "api_key_comfy_org")


async def get_prompt(request: Request) -> Response:
    return json_reply(engine_of(request).status())


async def post_prompt(request: Request) -> Response:
    engine = engine_of(request)
    body = await read_json(request)
    with malformed_is_trouble():
        return _accepted(engine, body)


def _accepted(engine: Engine, body: Any) -> Response:
    number = float(body["number"]) if "number" in body else _counted(engine, body)
    if "prompt" not in body:
        return _refusal(error("no_prompt", "No prompt provided", "No prompt provided", {}))
    prompt_id = _prompt_id(engine, body)
    if prompt_id is None:
        return _refusal(_bad_prompt_id())
    graph: dict[str, Any] = body["prompt"]
    verdict = _verdict(engine, graph, body.get("partial_execution_targets"))
    if verdict.error is not None:
        return _refusal(verdict.error, verdict.node_errors)
    engine.queue.put(number, prompt_id, graph, _extra_data(engine, body), verdict.outputs)
    return json_reply({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})


def _counted(engine: Engine, body: Any) -> float:
    return engine.queue.next_number(front="front" in body and bool(body["front"]))


def _prompt_id(engine: Engine, body: dict[str, Any]) -> str | None:
    """Return the id to use, or None when the given one is not acceptable."""
    if not engine.dialect.prompt_id_is_uuid:
        return str(body.get("prompt_id", uuid.uuid4()))
    given = body.get("prompt_id")
    if given is None:
        return str(uuid.uuid4())
    return given if isinstance(given, str) and UUID.fullmatch(given) else None


def _verdict(engine: Engine, graph: dict[str, Any], targets: list[str] | None) -> Verdict:
    validation = Validation(graph, engine.nodes, listing=partial(listing_of, engine), folders=engine.folders)
    return validation.verdict(engine.dialect, targets)


def _extra_data(engine: Engine, body: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = body.get("extra_data", {})
    extra = {key: value for key, value in given.items() if key not in SENSITIVE}
    if "client_id" in body:
        extra["client_id"] = body["client_id"]
    if engine.dialect.stamps_create_time:
        extra["create_time"] = milliseconds()
    return extra


def _refusal(reason: dict[str, Any], node_errors: dict[str, Any] | None = None) -> Response:
    return json_reply({"error": reason, "node_errors": node_errors or {}}, 400)


def _bad_prompt_id() -> dict[str, Any]:
    details = (
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
        "omit it to let the server generate one"
    )
    return error("invalid_prompt_id", "prompt_id must be a valid UUID", details, {})
