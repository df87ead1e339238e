"""Queue and history as ComfyUI's jobs."""

from collections.abc import Iterator
from typing import Any

from comfygen_mcp.engine.json_shapes import as_dict
from comfygen_mcp.engine.prompt_queue import PromptQueue, QueueItem

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
ENDS = {"execution_success", "execution_error", "execution_interrupted"}
PREVIEWABLE = {"images", "video", "audio", "3d", "text", "gifs", "files"}
FLAGS = {"animated"}
"""What is said of a node's outputs, beside them."""
_PRIVATE = {"outputs", "execution_status", "workflow"}


def all_jobs(queue: PromptQueue) -> Iterator[dict[str, Any]]:
    """Yield every job in full, the newest first."""
    for item in reversed(queue.pending):
        yield _waiting(item, "pending")
    if queue.running:
        yield _waiting(queue.running, "in_progress")
    for entry in reversed(list(queue.history.values())):
        yield _finished(entry)


def summary(job: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in job.items() if key not in _PRIVATE}


def _waiting(item: QueueItem, status: str) -> dict[str, Any]:
    return _base(item.wire(), status, {})


def _finished(entry: dict[str, Any]) -> dict[str, Any]:
    number, prompt_id, graph, extra, targets = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    job = _base([number, prompt_id, graph, extra, targets], _status(messages), messages)
    shown = list(_previewable(entry["outputs"]))
    job["outputs_count"] = sum(1 for _ in _items(entry["outputs"]))
    job["previewable_outputs_count"] = len(shown)
    if shown:
        job["preview_output"] = next((s for s in shown if s.get("type") == "output"), shown[0])
    if extra_id := _workflow_id(extra):
        job["workflow_id"] = extra_id
    return {
        **job,
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
        "workflow": {"prompt": graph, "extra_data": extra},
    }


def _base(prompt: list[Any], status: str, messages: dict[str, Any]) -> dict[str, Any]:
    number, prompt_id, _, extra, _ = prompt
    job: dict[str, Any] = {"id": prompt_id, "status": status, "priority": number}
    job["create_time"] = extra.get("create_time")
    if "execution_start" in messages:
        job["execution_start_time"] = messages["execution_start"]["timestamp"]
    for kind in ENDS & messages.keys():
        job["execution_end_time"] = messages[kind]["timestamp"]
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    job.update(outputs_count=0, previewable_outputs_count=0)
    if workflow_id := _workflow_id(extra):
        job["workflow_id"] = workflow_id
    return job


def _status(messages: dict[str, Any]) -> str:
    if "execution_interrupted" in messages:
        return "cancelled"
    return "failed" if "execution_error" in messages else "completed"


def _workflow_id(extra: dict[str, Any]) -> Any:
    info = as_dict(extra.get("extra_pnginfo")) or {}
    return (as_dict(info.get("workflow")) or {}).get("id")


def _items(outputs: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for node_id, output in outputs.items():
        for kind in [kind for kind in output if kind not in FLAGS]:
            for item in output[kind]:
                yield node_id, kind, item


def _previewable(outputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for node_id, kind, item in _items(outputs):
        if kind not in PREVIEWABLE:
            continue
        shown = {"content": item} if isinstance(item, str) else dict(item)
        yield {**shown, "nodeId": node_id, "mediaType": kind}
