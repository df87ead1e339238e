"""The messages of ComfyUI's socket that matter to one prompt, read into records."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from comfygen_mcp.comfyui.shapes import mapping, strings, text, whole

END_TYPES = {"execution_success", "execution_error", "execution_interrupted"}


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """Broadcast to everybody: so many prompts are queued or running."""

    remaining: int
    first: bool
    """True for the greeting of a new connection, which comes before our prompt."""


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt has left the queue."""


@dataclass(frozen=True, slots=True)
class Cached:
    """These nodes will not run: their results are still there."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Executing:
    """A node has begun."""

    node: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """A node has reported a step of its own."""

    node: str
    value: int
    maximum: int


@dataclass(frozen=True, slots=True)
class NodesMoved:
    """The state of every node touched so far: finished ones, and how far a running one is."""

    finished: tuple[str, ...]
    running: tuple[Stepped, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The prompt is over; *last* marks the message after which history is written."""

    last: bool


Event: TypeAlias = QueueChanged | Started | Cached | Executing | Stepped | NodesMoved | Ended


def read_event(message: dict[str, Any], prompt_id: str) -> Event | None:
    """Return what *message* says about *prompt_id*; None for other prompts and unknown types."""
    kind, data = text(message.get("type")) or "", mapping(message.get("data"))
    if kind == "status":
        return _queue_changed(data)
    if data.get("prompt_id") != prompt_id:
        return None
    if kind in END_TYPES and data.get("exception_type") != "ExecutionBlocked":
        return Ended(last=False)
    reader = _READERS.get(kind)
    return reader(data) if reader else None


def _queue_changed(data: Any) -> QueueChanged | None:
    remaining = whole(mapping(mapping(data.get("status")).get("exec_info")).get("queue_remaining"))
    return None if remaining is None else QueueChanged(remaining, first="sid" in data)


def _started(_data: Any) -> Event:
    return Started()


def _cached(data: Any) -> Event:
    return Cached(strings(data.get("nodes")))


def _executing(data: Any) -> Event:
    node = text(data.get("node"))
    return Executing(node) if node else Ended(last=True)


def _executed(data: Any) -> Event | None:
    node = text(data.get("node"))
    return NodesMoved(finished=(node,), running=()) if node else None


def _progress(data: Any) -> Event | None:
    node = text(data.get("node"))
    return _stepped(node, data) if node else None


def _nodes_moved(data: Any) -> Event:
    states = {node: mapping(state) for node, state in mapping(data.get("nodes")).items()}
    finished = tuple(node for node, state in states.items() if state.get("state") == "finished")
    steps = [_stepped(node, state) for node, state in states.items() if state.get("state") == "running"]
    return NodesMoved(finished, tuple(step for step in steps if step is not None))


def _stepped(node: str, data: Any) -> Stepped | None:
    value, maximum = whole(data.get("value")), whole(data.get("max"))
    return Stepped(node, value, maximum) if value is not None and maximum else None


_READERS: dict[str, Callable[[Any], Event | None]] = {
    "execution_start": _started,
    "execution_cached": _cached,
    "executing": _executing,
    "executed": _executed,
    "progress": _progress,
    "progress_state": _nodes_moved,
}
