"""ComfyUI's cache: results by class and inputs including all ancestors, kept for one prompt back."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from comfygen_mcp.engine.descent import Visit, descend
from comfygen_mcp.engine.json_shapes import as_dict, link_of


@dataclass(frozen=True)
class Entry:
    values: tuple[Any, ...]
    ui: dict[str, Any] | None


class NodeCache:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._keys: dict[str, str] = {}

    def begin(self, graph: dict[str, Any]) -> None:
        """Take up a new prompt: forget all that it does not use."""
        self._keys = signatures(graph)
        wanted = set(self._keys.values())
        self._entries = {key: entry for key, entry in self._entries.items() if key in wanted}

    def get(self, node_id: str) -> Entry | None:
        return self._entries.get(self._keys.get(node_id, ""))

    def set(self, node_id: str, entry: Entry) -> None:
        self._entries[self._keys[node_id]] = entry

    def clear(self) -> None:
        self._entries = {}


def signatures(graph: dict[str, Any]) -> dict[str, str]:
    """Return node id → key; equal keys mean equal results, whatever the ids are."""
    keys: dict[str, str] = {}

    def sign(node_id: str) -> Visit[str, str]:
        if node_id in keys:
            return keys[node_id]
        keys[node_id] = node_id  # an unvalidated part of the graph may contain a cycle
        node = graph.get(node_id, {})
        parts: list[tuple[str, Any]] = []
        for name, value in sorted((as_dict(node.get("inputs")) or {}).items()):
            link = link_of(value)
            parts.append((name, ["ancestor", (yield link[0]), link[1]] if link else value))
        content = json.dumps([node.get("class_type"), node.get("is_changed"), parts], sort_keys=True)
        keys[node_id] = hashlib.sha256(content.encode()).hexdigest()
        return keys[node_id]

    for node_id in graph:
        descend(node_id, sign)
    return keys
