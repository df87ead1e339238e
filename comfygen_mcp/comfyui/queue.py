"""What runs and what waits on a ComfyUI server."""

from typing import Any

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.shapes import items, mapping
from comfygen_mcp.models import JsonValue, Record


class QueueState(Record):
    """Prompt ids; the waiting ones in the order in which they will run."""

    running: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    def __contains__(self, prompt_id: str) -> bool:
        return prompt_id in self.running or prompt_id in self.pending

    def ahead_of(self, prompt_id: str) -> int | None:
        """Count the prompts that run before a waiting one; None when it does not wait."""
        return self.pending.index(prompt_id) + len(self.running) if prompt_id in self.pending else None


async def ask_queue(http: Http) -> QueueState:
    return read_queue(await http.get("/queue"))


def read_queue(reply: JsonValue) -> QueueState:
    """Read a reply of `/queue`, whose waiting entries come in heap order."""
    queue = mapping(reply)
    running, pending = (_numbered(queue.get(key)) for key in ("queue_running", "queue_pending"))
    return QueueState(
        running=tuple(prompt_id for _, prompt_id in running),
        pending=tuple(prompt_id for _, prompt_id in sorted(pending)),
    )


def _numbered(entries: Any) -> list[tuple[float, str]]:
    rows = [items(entry) for entry in items(entries)]
    return [(float(row[0]), row[1]) for row in rows if len(row) > 1 and isinstance(row[1], str)]
