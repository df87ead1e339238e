"""The one exception tree; every message names the value, the valid choices and the next step.

ComfygenError
├── BadRequest            a value from the caller cannot be used
│   └── UnknownName       a name that nothing here answers to; carries the nearest known ones
├── BadConfiguration      comfygen.yaml, presets.yaml or the environment is wrong
├── BadWorkflow           a workflow file is unreadable, or a placeholder has no value
├── BackendUnreachable    nobody answers at the configured address
├── UnexpectedReply       somebody answers, but not as a ComfyUI would
├── GraphRejected         ComfyUI refused the graph before running it
│   └── MissingModel      ... because a model file is not installed there
├── ExecutionFailed       a node raised while the graph was running
├── JobCancelled          the job was cancelled, here or on the server
├── JobTimeout            the job did not finish within its bound
├── StoreFailed           an output or sidecar could not be written or read
└── IndexFailed           the gallery's index could not be read or written; the pictures are not concerned
"""

from collections.abc import Iterable

from comfygen_mcp.names import nearest_names


class ComfygenError(Exception):
    """Base of everything this package raises on purpose; its text may be shown to an agent."""


class BadRequest(ComfygenError):
    """A value from the caller cannot be used."""


class UnknownName(BadRequest):
    """A name that nothing here answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        super().__init__(_unknown_name_text(kind, name, self.known, hint))


class BadConfiguration(ComfygenError):
    """comfygen.yaml, presets.yaml or the environment is wrong."""


class BadWorkflow(ComfygenError):
    """A workflow file is unreadable, or one of its placeholders has no value."""


class BackendUnreachable(ComfygenError):
    """Nobody answers at the configured address."""


class UnexpectedReply(ComfygenError):
    """Somebody answers, but not as a ComfyUI would."""


class GraphRejected(ComfygenError):
    """ComfyUI refused the graph before running it."""


class MissingModel(GraphRejected):
    """ComfyUI refused the graph because a model file is not installed there."""


class ExecutionFailed(ComfygenError):
    """A node raised while the graph was running."""


class JobCancelled(ComfygenError):
    """The job was cancelled, here or on the server."""


class JobTimeout(ComfygenError):
    """The job did not finish within its bound, and was stopped on its host."""


class StoreFailed(ComfygenError):
    """An output or a sidecar could not be written or read."""


class IndexFailed(ComfygenError):
    """The gallery's index could not be read or written; sidecars and pictures are not concerned."""


def _unknown_name_text(kind: str, name: str, known: tuple[str, ...], hint: str) -> str:
    shown = name if len(name) <= 80 else name[:77] + "..."
    near = nearest_names(name, known)
    parts = [f"Unknown {kind} {shown!r}."]
    if near:
        parts.append(f"Did you mean {' or '.join(repr(n) for n in near)}?")
    if known:
        parts.append(f"Known: {_listing(known)}.")
    else:
        parts.append(f"There is no {kind} at all.")
    if hint:
        parts.append(hint)
    return " ".join(parts)


def _listing(names: tuple[str, ...], limit: int = 20) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
