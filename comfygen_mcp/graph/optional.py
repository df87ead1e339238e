"""Leaves out the nodes whose placeholder stays empty, as ComfyUI's bypass does."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, NodeSpec
from comfygen_mcp.graph.declared import declared_input
from comfygen_mcp.graph.shown import bare, shown
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.graph.wiring import UNKNOWN_TYPE, Slot, Wire, Wiring, in_declared_order, wiring
from comfygen_mcp.models import Graph, GraphNode

_WIDGETS = frozenset({"INT", "FLOAT", "BOOLEAN", "STRING", "COMBO"})
_Feeds = dict[str, Slot | None]
"""Input → what feeds it now; None where nothing does any more."""


def without_unused(graph: Graph, unused: Iterable[str], catalogue: Catalogue) -> Graph:
    """Return *graph* without the nodes that hold a placeholder of *unused*, and without what only fed them.

    What such a node gave comes from its input of the same type instead: the one in the same row, so that
    negative stays negative, else the first. Where there is none, the link goes; a node that needed it is
    left out in turn. Raises BadWorkflow when that reaches an output.
    """
    names = frozenset(unused)
    holders = {
        place.node for name, places in placeholders(graph).items() if name in names for place in places
    }
    if not holders:
        return dict(graph)
    wires = wiring(graph, catalogue)
    bypass = _Bypass(graph, catalogue, wires)
    kept, bypassed = bypass.run(holders)
    for node_id in bypassed:
        if bypass.is_output(node_id):
            _refuse(graph, node_id, names)
    needed = _leading_to_ends(kept, wires)
    return {node_id: _fed(graph[node_id], kept[node_id]) for node_id in graph if node_id in needed}


@dataclass(frozen=True, slots=True)
class _Bypass:
    graph: Graph
    catalogue: Catalogue
    wires: Wiring

    def run(self, holders: Collection[str]) -> tuple[dict[str, _Feeds], dict[str, _Feeds]]:
        """Return the nodes that stay and those that do not, each with what feeds its inputs."""
        kept: dict[str, _Feeds] = {}
        bypassed: dict[str, _Feeds] = {}
        for node_id in self._sources_first():
            feeds = {wire.input: self._feed(wire, bypassed) for wire in self.wires.taken[node_id]}
            starved = any(feed is None and self._needs(node_id, name) for name, feed in feeds.items())
            (bypassed if starved or node_id in holders else kept)[node_id] = feeds
        return kept, bypassed

    def is_output(self, node_id: str) -> bool:
        """Tell whether a node saves something; of an unknown class, one that gives nothing to others."""
        spec = self.catalogue.get(self.graph[node_id]["class_type"])
        return not self.wires.given[node_id] if spec is None else spec.output_node

    def _sources_first(self) -> tuple[str, ...]:
        above = {
            node_id: dict.fromkeys(wire.source[0] for wire in taken)
            for node_id, taken in self.wires.taken.items()
        }
        try:
            return tuple(TopologicalSorter(above).static_order())
        except CycleError as error:
            circle = ", ".join(shown(node_id) for node_id in error.args[1][:5])
            raise BadWorkflow(f"The links go round in a circle among the nodes {circle}.") from error

    def _feed(self, wire: Wire, bypassed: Mapping[str, _Feeds]) -> Slot | None:
        giver = wire.source[0]
        if giver not in bypassed:
            return wire.source
        if wire.type == UNKNOWN_TYPE:
            return None
        spec = self.catalogue.get(self.graph[giver]["class_type"])
        inputs = in_declared_order(self.wires.takes(giver, (wire.type,)), spec)
        across = _input_across(spec, wire.source[1])
        inputs.sort(key=lambda other: other.input != across)
        feeds = (bypassed[giver][other.input] for other in inputs)
        return next((feed for feed in feeds if feed is not None), None)

    def _needs(self, node_id: str, name: str) -> bool:
        """Tell whether a node cannot do without an input; of an unknown class, it needs them all."""
        node = self.graph[node_id]
        if node["class_type"] not in self.catalogue:
            return True
        declared = declared_input(node, name, self.catalogue)
        return declared is not None and declared.required


def _input_across(spec: NodeSpec | None, slot: int) -> str | None:
    """Return the input that an editor draws in the row of an output; widgets are drawn below."""
    inputs = spec.inputs.items() if spec else ()
    sockets = [name for name, wanted in inputs if wanted.socket or not wanted.types & _WIDGETS]
    return sockets[slot] if 0 <= slot < len(sockets) else None


def _refuse(graph: Graph, node_id: str, names: Collection[str]) -> None:
    empty = ", ".join(map(bare, sorted(names)))
    raise BadWorkflow(
        f"Without a value for {empty} nothing would reach the output node {shown(node_id)} "
        f"({bare(graph[node_id]['class_type'])}). "
        "Give a value, or take it out of _workflow_metadata.optional."
    )


def _leading_to_ends(kept: Mapping[str, _Feeds], wires: Wiring) -> set[str]:
    """Return the nodes that are still used, or never were by any other."""
    waiting = [node_id for node_id in kept if not wires.given[node_id]]
    found = set(waiting)
    while waiting:
        new = {feed[0] for feed in kept[waiting.pop()].values() if feed} - found
        found |= new
        waiting += new
    return found


def _fed(node: GraphNode, feeds: _Feeds) -> GraphNode:
    changed = node.copy()
    changed["inputs"] = {
        name: list(feed) if (feed := feeds.get(name)) else value
        for name, value in node["inputs"].items()
        if feeds.get(name, ()) is not None
    }
    return changed
