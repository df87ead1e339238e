"""What flows along the links of a graph: by the catalogue, or told by the node that takes it."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from comfygen_mcp.graph.catalogue import WILDCARDS, Catalogue, NodeSpec
from comfygen_mcp.graph.links import links
from comfygen_mcp.models import Graph, GraphNode

Slot: TypeAlias = tuple[str, int]
"""One output of a node: node id and number."""

UNKNOWN_TYPE = "*"
_TOLD_BY_NAME = {"model": "MODEL", "clip": "CLIP"}
"""What inputs of unknown classes take when they are called like this."""


class Wire(NamedTuple):
    """One link: input *input* of node *node* takes *source*, which gives a *type*."""

    node: str
    input: str
    source: Slot
    type: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """The links of a graph from both ends; a link to a node that does not exist is left out."""

    taken: Mapping[str, tuple[Wire, ...]]
    given: Mapping[str, tuple[Wire, ...]]

    def takes(self, node_id: str, types: Collection[str]) -> tuple[Wire, ...]:
        """Return the links of one of *types* into a node."""
        return tuple(wire for wire in self.taken[node_id] if wire.type in types)

    def gives(self, node_id: str, types: Collection[str]) -> tuple[Wire, ...]:
        """Return the links of one of *types* out of a node."""
        return tuple(wire for wire in self.given[node_id] if wire.type in types)

    def sources(self, kind: str) -> tuple[Slot, ...]:
        """Return the slots that are used as *kind* and whose node takes none: loaders, as a rule."""
        found = dict.fromkeys(
            wire.source
            for node_id in self.given
            for wire in self.gives(node_id, (kind,))
            if not self.takes(node_id, (kind,))
        )
        return tuple(found)

    def upstream(self, node_ids: Iterable[str], types: Collection[str] | None = None) -> tuple[Wire, ...]:
        """Return the links that lead to *node_ids*, nearest first; only those of *types* are followed."""
        found: list[Wire] = []
        waiting = deque(dict.fromkeys(node_ids))
        seen = set(waiting)
        while waiting:
            node_id = waiting.popleft()
            wires = self.taken[node_id] if types is None else self.takes(node_id, types)
            found += wires
            new = dict.fromkeys(wire.source[0] for wire in wires if wire.source[0] not in seen)
            seen.update(new)
            waiting += new
        return tuple(found)

    def downstream(self, wires: Iterable[Wire], types: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the nodes that *wires* lead to, nearest first; only links of *types* are followed."""
        waiting = deque(dict.fromkeys(wire.node for wire in wires))
        found = dict.fromkeys(waiting)
        while waiting:
            node_id = waiting.popleft()
            wires = self.given[node_id] if types is None else self.gives(node_id, types)
            new = dict.fromkeys(wire.node for wire in wires if wire.node not in found)
            found.update(new)
            waiting += new
        return tuple(found)


def wiring(graph: Graph, catalogue: Catalogue) -> Wiring:
    """Return the links of *graph* with their types; `*` where neither end tells."""
    types = _slot_types(graph, catalogue)
    taken: dict[str, list[Wire]] = {node_id: [] for node_id in graph}
    given: dict[str, list[Wire]] = {node_id: [] for node_id in graph}
    for node_id, node in graph.items():
        for name, source, slot in links(node):
            if source in graph:
                wire = Wire(node_id, name, (source, slot), types.get((source, slot), UNKNOWN_TYPE))
                taken[node_id].append(wire)
                given[source].append(wire)
    return Wiring(
        {node_id: tuple(wires) for node_id, wires in taken.items()},
        {node_id: tuple(wires) for node_id, wires in given.items()},
    )


def in_declared_order(wires: Iterable[Wire], spec: NodeSpec | None) -> list[Wire]:
    """Sort links into one node as its class lists the inputs; a file may list them in any order."""
    position = {name: at for at, name in enumerate(spec.inputs)} if spec else {}
    return sorted(wires, key=lambda wire: position.get(wire.input, len(position)))


def _slot_types(graph: Graph, catalogue: Catalogue) -> dict[Slot, str]:
    """Ask the giving class first, then the classes that take it, then the names of their inputs."""
    uses = [
        (node, name, (source, slot))
        for node in graph.values()
        for name, source, slot in links(node)
        if source in graph
    ]
    types: dict[Slot, str] = {}
    for _, _, (source, slot) in uses:
        if kind := _output_type(graph[source], slot, catalogue):
            types[source, slot] = kind
    for node, name, source in uses:
        if kind := _input_type(node, name, catalogue):
            types.setdefault(source, kind)
    for node, name, source in uses:
        if node["class_type"] not in catalogue and (kind := _TOLD_BY_NAME.get(name.casefold())):
            types.setdefault(source, kind)
    return types


def _output_type(node: GraphNode, slot: int, catalogue: Catalogue) -> str | None:
    spec = catalogue.get(node["class_type"])
    if spec is None or not 0 <= slot < len(spec.outputs):
        return None
    return _one_type(spec.outputs[slot])


def _input_type(node: GraphNode, name: str, catalogue: Catalogue) -> str | None:
    spec = catalogue.get(node["class_type"])
    wanted = spec.inputs.get(name) if spec else None
    return _one_type(wanted.type) if wanted else None


def _one_type(kind: str) -> str | None:
    return None if kind in WILDCARDS or "," in kind else kind
