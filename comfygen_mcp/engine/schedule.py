"""The order in which nodes run: topological, with ComfyUI's preference for what shows a result soonest."""

from collections.abc import Callable
from typing import Any

from comfygen_mcp.engine.json_shapes import link_of


class Schedule:
    """Nodes still to run. The order of ties follows ComfyUI, so that event streams can be compared."""

    def __init__(
        self, graph: dict[str, Any], is_cached: Callable[[str], bool], is_output: Callable[[str], bool]
    ) -> None:
        self._graph = graph
        self._is_cached = is_cached
        self._is_output = is_output
        self._waiting_for: dict[str, int] = {}
        self._blocks: dict[str, list[str]] = {}

    def add(self, node_id: str) -> None:
        """Add a node and, depth first, every uncached one that it needs."""
        stack = [node_id]
        links: list[tuple[str, str]] = []
        while stack:
            current = stack.pop()
            if current in self._waiting_for:
                continue
            self._waiting_for[current] = 0
            self._blocks[current] = []
            sources = [s for s in self._sources(current) if not self._is_cached(s)]
            stack.extend(sources)
            links.extend((source, current) for source in sources)
        for source, target in links:
            if target not in self._blocks[source]:
                self._blocks[source].append(target)
                self._waiting_for[target] += 1

    def next(self) -> str | None:
        ready = [node_id for node_id, count in self._waiting_for.items() if count == 0]
        return self._preferred(ready) if ready else None

    def finish(self, node_id: str) -> None:
        del self._waiting_for[node_id]
        for target in self._blocks.pop(node_id):
            self._waiting_for[target] -= 1

    def _sources(self, node_id: str) -> list[str]:
        inputs: dict[str, Any] = self._graph[node_id]["inputs"]
        return [link[0] for value in inputs.values() if (link := link_of(value))]

    def _preferred(self, ready: list[str]) -> str:
        """Prefer an output node, then what blocks one, then what blocks something that blocks one."""
        for distance in range(3):
            for node_id in ready:
                if any(self._is_output(reached) for reached in self._reached(node_id, distance)):
                    return node_id
        return ready[0]

    def _reached(self, node_id: str, distance: int) -> list[str]:
        reached = [node_id]
        for _ in range(distance):
            reached = [target for source in reached for target in self._blocks[source]]
        return reached
