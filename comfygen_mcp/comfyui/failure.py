"""How a prompt ended, in the errors of this package."""

from typing import Any

from comfygen_mcp.comfyui.history import History
from comfygen_mcp.comfyui.shapes import text
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.errors import ComfygenError, ExecutionFailed, JobCancelled
from comfygen_mcp.models import Graph

_MODEL_FILES = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf")


def failure_of(history: History, graph: Graph | None) -> ComfygenError | None:
    """Return the error that *history* tells of; None for a success."""
    if history.status == "success":
        return None
    if history.status == "interrupted":
        return JobCancelled(f"Prompt {history.prompt_id} was interrupted on the ComfyUI server.")
    return execution_failed(history.failure, graph or {})


def execution_failed(failure: dict[str, Any], graph: Graph) -> ExecutionFailed:
    """Name the node, what it raised, and what helps; no traceback and no server paths."""
    node_id = text(failure.get("node_id")) or "?"
    exception = (text(failure.get("exception_type")) or "an error").rpartition(".")[2]
    message = first_line(text(failure.get("exception_message")) or "") or "no message"
    where = _node_name(node_id, text(failure.get("node_type")), graph)
    advice = _advice(exception, message, node_id, graph)
    return ExecutionFailed(f"{where} failed: {exception}: {message.rstrip('.')}.{advice}")


def vanished(prompt_id: str, *, cancelled: bool) -> ComfygenError:
    """Explain a prompt that is neither queued nor in history."""
    if cancelled:
        return JobCancelled(f"Prompt {prompt_id} was cancelled.")
    return ExecutionFailed(
        f"Prompt {prompt_id} disappeared from the ComfyUI server: the server was restarted, or somebody "
        "deleted it from the queue or the history. Nothing of it is left there; submit it again."
    )


def _node_name(node_id: str, class_type: str | None, graph: Graph) -> str:
    node = graph.get(node_id)
    title = text((node.get("_meta") or {}).get("title")) if node else None
    kind = class_type or (node["class_type"] if node else "unknown class")
    named = f", {title!r}" if title and title != kind else ""
    return f"Node {node_id} ({kind}{named})"


def _advice(exception: str, message: str, node_id: str, graph: Graph) -> str:
    words = f"{exception} {message}".lower()
    if any(sign in words for sign in ("outofmemory", "out of memory", "allocation on device")):
        return (
            " The GPU ran out of memory: make the picture smaller or fewer at once, use a smaller (fp8) "
            "model, or free memory on the server first."
        )
    if "safetensorerror" in words or "safetensors" in words:
        files = _model_files(node_id, graph)
        return (
            f" The model file {files or 'of this node'} on the server is damaged or incomplete: "
            "download it again (see docs/models.md)."
        )
    return ""


def _model_files(node_id: str, graph: Graph) -> str:
    node = graph.get(node_id)
    values = node["inputs"].values() if node else ()
    return ", ".join(repr(v) for v in values if isinstance(v, str) and v.lower().endswith(_MODEL_FILES))
