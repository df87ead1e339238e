"""What `/history` tells about one prompt: how it ended, its outputs, its times."""

from typing import Any, Literal

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.shapes import items, mapping, text, whole
from comfygen_mcp.models import JsonValue, Record


class RunTimes(Record):
    """How long a prompt waited and ran, in milliseconds; None where the server does not tell."""

    queued_ms: int | None = None
    running_ms: int | None = None


class History(Record):
    """The end of one prompt; *failure* is the data of its `execution_error` message."""

    prompt_id: str
    status: Literal["success", "error", "interrupted"]
    outputs: dict[str, JsonValue]
    failure: dict[str, JsonValue]
    times: RunTimes


async def ask_history(http: Http, prompt_id: str) -> History | None:
    """Return the history of a finished prompt, None while it is queued or running, and when it is unknown."""
    return read_history(await http.get(f"/history/{prompt_id}"), prompt_id)


def read_history(reply: JsonValue, prompt_id: str) -> History | None:
    """Read one prompt's record out of a reply of `/history`."""
    entry = mapping(mapping(reply).get(prompt_id))
    if not entry:
        return None
    status = mapping(entry.get("status"))
    messages = _messages(status.get("messages"))
    return History(
        prompt_id=prompt_id,
        status=_status(status, messages),
        outputs=dict(mapping(entry.get("outputs"))),
        failure=dict(messages.get("execution_error", {})),
        times=_times(items(entry.get("prompt")), messages),
    )


def _messages(found: Any) -> dict[str, Any]:
    pairs = [items(pair) for pair in items(found)]
    return {kind: mapping(pair[1]) for pair in pairs if len(pair) == 2 and (kind := text(pair[0]))}


def _status(status: Any, messages: dict[str, Any]) -> Literal["success", "error", "interrupted"]:
    if "execution_interrupted" in messages:
        return "interrupted"
    return "error" if status.get("status_str") == "error" else "success"


def _times(prompt: list[Any], messages: dict[str, Any]) -> RunTimes:
    created = whole(mapping(prompt[3]).get("create_time")) if len(prompt) > 3 else None
    start = whole(messages.get("execution_start", {}).get("timestamp"))
    ends = ("execution_success", "execution_error", "execution_interrupted")
    end = next((whole(messages[kind].get("timestamp")) for kind in ends if kind in messages), None)
    return RunTimes(queued_ms=_between(created, start), running_ms=_between(start, end))


def _between(start: int | None, end: int | None) -> int | None:
    return None if start is None or end is None else max(0, end - start)
