"""What a node function gets besides its inputs: the files, the graph, and a way to report steps."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from comfygen_mcp.engine.events import Interrupted, RunEvents
from comfygen_mcp.engine.folders import Folders


class NodeFailure(Exception):
    """A node cannot do its work; *kind* is what ComfyUI would give as the exception's type."""

    def __init__(self, message: str, kind: str = "Exception") -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(frozen=True)
class Shown:
    """What an output node returns: its values, and what is shown of them (`executed`, history)."""

    values: tuple[Any, ...]
    ui: dict[str, Any]


@dataclass(frozen=True)
class Task:
    node_id: str
    graph: dict[str, Any]
    extra_pnginfo: dict[str, Any]
    folders: Folders
    events: RunEvents
    interrupt: Event
    step_s: float = 0
    wants_previews: bool = False

    def step(self, value: int, total: int, preview: Callable[[], bytes]) -> None:
        """Report that step *value* of *total* is done; raises Interrupted when the prompt was interrupted."""
        if self.step_s:
            self.interrupt.wait(self.step_s)
        self.check_interrupt()
        self.events.step(self.node_id, value, total, preview() if self.wants_previews else None)

    def check_interrupt(self) -> None:
        if self.interrupt.is_set():
            raise Interrupted
