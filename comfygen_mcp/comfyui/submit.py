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
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the first byte may have left: from then on the server may run it."""

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
    """Post once, and once more after a failure that may pass; None when a failed post had arrived."""
    first = await _tried(http, prompt)
    if isinstance(first, httpx.Response) and first.status_code < 500:
        return first
    if _never_sent(first):
        await asyncio.sleep(http.timing.retry_s)
    elif await _arrived(http, prompt.prompt_id):
        return None
    second = await _tried(http, prompt)
    if isinstance(second, httpx.Response) and second.status_code < 500:
        return second
    if not _never_sent(second) and await _arrived(http, prompt.prompt_id):
        return None
    if isinstance(second, BackendUnreachable):
        raise second
    return second


async def _tried(http: Http, prompt: Prompt) -> httpx.Response | BackendUnreachable:
    """Return the reply, or why there was none; raises what another try cannot mend."""
    try:
        return await http.post("/prompt", prompt.body(), sending=prompt.sending)
    except BackendUnreachable as error:
        if isinstance(error.__cause__, httpx.UnsupportedProtocol):
            raise
        return error


def _never_sent(outcome: httpx.Response | BackendUnreachable) -> bool:
    return isinstance(outcome, BackendUnreachable) and never_sent(outcome.__cause__)


async def _arrived(http: Http, prompt_id: str) -> bool:
    """Look for the prompt at once and after a pause: the same id sent again would run again."""
    # Only the second look must succeed: what spoiled the post may spoil the first one as well.
    with contextlib.suppress(BackendUnreachable):
        if await _is_there(http, prompt_id):
            return True
    await asyncio.sleep(http.timing.retry_s)
    return await _is_there(http, prompt_id)


async def _is_there(http: Http, prompt_id: str) -> bool:
    return prompt_id in await ask_queue(http) or await ask_history(http, prompt_id) is not None


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
