"""Handing a graph to ComfyUI exactly once, although `/prompt` itself would run it twice."""

import asyncio
import contextlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from comfygen_mcp.comfyui.cancel import stop
from comfygen_mcp.comfyui.catalogue import Catalogue
from comfygen_mcp.comfyui.explain import explain
from comfygen_mcp.comfyui.history import ask_history
from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.queue import ask_queue
from comfygen_mcp.comfyui.rejection import read_rejection
from comfygen_mcp.comfyui.shapes import mapping
from comfygen_mcp.comfyui.unreachable import never_sent, not_comfyui
from comfygen_mcp.errors import BackendUnreachable, BadRequest, ComfygenError
from comfygen_mcp.models import Graph, JsonValue, Record, RequiredFile

_TRIED_LONG_ENOUGH = (httpx.ConnectTimeout, httpx.UnsupportedProtocol)


class Submission(Record):
    """A prompt that the server has accepted; *number* is its place in the order of all prompts."""

    prompt_id: str
    client_id: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What goes to `/prompt`."""

    graph: Graph
    prompt_id: str
    client_id: str
    requires: Sequence[RequiredFile] = ()
    pnginfo: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    previews: bool = False

    def body(self) -> dict[str, Any]:
        extra: dict[str, Any] = {"preview_method": "auto" if self.previews else "none"}
        if self.pnginfo:
            extra["extra_pnginfo"] = dict(self.pnginfo)
        return {
            "prompt": self.graph,
            "prompt_id": self.prompt_id,
            "client_id": self.client_id,
            "extra_data": extra,
        }


async def hand_over(http: Http, catalogue: Catalogue, prompt: Prompt) -> Submission:
    """Submit *prompt*; raises GraphRejected, MissingModel, BackendUnreachable or UnexpectedReply."""
    _check_id(prompt.prompt_id)
    response = await _posted(http, prompt)
    if response is None:
        return Submission(prompt_id=prompt.prompt_id, client_id=prompt.client_id)
    body = _body_of(http, response)
    rejection = read_rejection(response.status_code, body, prompt.graph)
    if rejection is None:
        return _accepted(http, prompt, body)
    if response.status_code == 200:
        # The rest of the graph was queued: it must not run unseen.
        with contextlib.suppress(ComfygenError):
            await stop(http, prompt.prompt_id)
    raise await explain(catalogue, rejection, prompt.requires)


async def _posted(http: Http, prompt: Prompt) -> httpx.Response | None:
    """Post once, and once more after a failure that may pass; None when the first post had arrived."""
    try:
        response = await http.post("/prompt", prompt.body())
        if response.status_code < 500:
            return response
    except BackendUnreachable as error:
        if isinstance(error.__cause__, _TRIED_LONG_ENOUGH):
            raise
        if never_sent(error.__cause__):
            await asyncio.sleep(http.timing.retry_s)
            return await http.post("/prompt", prompt.body())
    if await _arrived(http, prompt.prompt_id):
        return None
    try:
        return await http.post("/prompt", prompt.body())
    except BackendUnreachable:
        if await _arrived(http, prompt.prompt_id):
            return None
        raise


async def _arrived(http: Http, prompt_id: str) -> bool:
    """Look for the prompt twice: the same id sent again would run again."""
    for _ in range(2):
        await asyncio.sleep(http.timing.retry_s)
        if prompt_id in await ask_queue(http) or await ask_history(http, prompt_id):
            return True
    return False


def _check_id(prompt_id: str) -> None:
    """Insist on the form that new servers want; old ones take anything, even the text `None`."""
    with contextlib.suppress(ValueError):
        if str(uuid.UUID(prompt_id)) == prompt_id:
            return
    raise BadRequest(f"prompt_id {prompt_id!r} is not a lowercase UUID with hyphens; use str(uuid.uuid4()).")


def _body_of(http: Http, response: httpx.Response) -> JsonValue:
    """Return the reply's JSON; its text when it is an error in plain text."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code == 404 or kind == "text/html":
        raise not_comfyui(http.host, f"/prompt answers {response.status_code} {kind or 'without content'}")
    return http.json_of(response) if response.status_code == 200 else _json_or_text(response)


def _json_or_text(response: httpx.Response) -> JsonValue:
    try:
        return response.json()
    except ValueError:
        return response.text


def _accepted(http: Http, prompt: Prompt, body: JsonValue) -> Submission:
    reply = mapping(body)
    if reply.get("prompt_id") != prompt.prompt_id:
        raise not_comfyui(http.host, "/prompt does not confirm the prompt_id")
    number = reply.get("number")
    return Submission(
        prompt_id=prompt.prompt_id,
        client_id=prompt.client_id,
        number=float(number) if isinstance(number, int | float) else None,
    )
