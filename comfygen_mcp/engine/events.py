"""What a running prompt tells: to its own client, or to everybody when it has none."""

import time
from typing import Any

from comfygen_mcp.engine.hub import Hub

MANY_NODES = 200
"""The states of all nodes are told with each change of one, as ComfyUI does; of more, only now and then."""
STATES_EVERY_S = 0.1


class Interrupted(Exception):
    """The running prompt was asked to stop."""


class RunEvents:
    """The messages of one prompt, in ComfyUI's order, and the part of them that history keeps."""

    def __init__(self, hub: Hub, prompt_id: str, client_id: str | None) -> None:
        self._hub = hub
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.kept: list[list[Any]] = []
        self.progress: dict[str, dict[str, Any]] = {}
        self.last_node: str | None = None
        self._states_told_at = 0.0

    def milestone(self, kind: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        data = {"prompt_id": self.prompt_id, **data, "timestamp": int(time.time() * 1000)}
        self.kept.append([kind, data])
        if self.client_id is not None or broadcast:
            self._hub.post(kind, data, self.client_id)

    def start_node(self, node_id: str) -> None:
        self._state(node_id, 0.0, 1.0, "running")
        self.last_node = node_id
        self._own("executing", {"node": node_id, "display_node": node_id})

    def step(self, node_id: str, value: int, total: int, jpeg: bytes | None) -> None:
        with_metadata = self._hub.wants_preview_metadata(self.client_id)
        self._state(node_id, value, total, "running")
        if jpeg and with_metadata:
            metadata = {key: self.progress[node_id][key] for key in _NODE_KEYS}
            self._hub.post_preview_with_metadata(jpeg, metadata, self.client_id)
        data = {"value": value, "max": total, "prompt_id": self.prompt_id, "node": node_id}
        self._hub.post("progress", data, self.client_id)
        if jpeg and not with_metadata:
            self._hub.post_preview(jpeg, self.client_id)

    def executed(self, node_id: str, output: dict[str, Any] | None) -> None:
        self._own("executed", {"node": node_id, "display_node": node_id, "output": output})

    def finish_node(self, node_id: str) -> None:
        total = self.progress.get(node_id, {}).get("max", 1)
        self._state(node_id, total, total, "finished")

    def end(self) -> None:
        self._own("executing", {"node": None})

    def _own(self, kind: str, data: dict[str, Any]) -> None:
        if self.client_id is not None:
            self._hub.post(kind, {**data, "prompt_id": self.prompt_id}, self.client_id)

    def _state(self, node_id: str, value: float, total: float, state: str) -> None:
        self.progress[node_id] = {
            "value": value,
            "max": total,
            "state": state,
            "node_id": node_id,
            "prompt_id": self.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        now = time.monotonic()
        if len(self.progress) > MANY_NODES and now - self._states_told_at < STATES_EVERY_S:
            return
        self._states_told_at = now
        nodes = {"prompt_id": self.prompt_id, "nodes": self.progress}
        self._hub.post("progress_state", nodes, self.client_id)


_NODE_KEYS = ("node_id", "prompt_id", "display_node_id", "parent_node_id", "real_node_id")
