"""ComfyUI's cache: results by class and inputs including all ancestors, kept for one prompt back."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

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
    for node_id in graph:
        _sign(node_id, graph, keys)
    return keys


def _sign(node_id: str, graph: dict[str, Any], keys: dict[str, str]) -> str:
    if node_id in keys:
        return keys[node_id]
    node = graph.get(node_id, {})
    keys[node_id] = node_id  # an unvalidated part of the graph may contain a cycle
    inputs = as_dict(node.get("inputs")) or {}
    parts = [(name, _signed_input(value, graph, keys)) for name, value in sorted(inputs.items())]
    content = json.dumps([node.get("class_type"), node.get("is_changed"), parts], sort_keys=True)
    keys[node_id] = hashlib.sha256(content.encode()).hexdigest()
    return keys[node_id]


def _signed_input(value: Any, graph: dict[str, Any], keys: dict[str, str]) -> Any:
    link = link_of(value)
    return ["ancestor", _sign(link[0], graph, keys), link[1]] if link else value
