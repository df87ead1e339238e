"""Finds the nodes that sample: they turn a latent into another one, guided by a model and conditioning."""

from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.wiring import Slot, Wiring
from comfygen_mcp.models import Graph


def samplers(graph: Graph, wires: Wiring, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the sampling nodes in the order of the graph, told by the types that they take and give."""
    return tuple(node_id for node_id in graph if _samples(graph, node_id, wires, catalogue))


def samplers_of(source: Slot, wires: Wiring, sampling: frozenset[str]) -> tuple[str, ...]:
    """Return those of *sampling* that the model of *source* guides, by way of any patches."""
    first = [wire for wire in wires.given[source[0]] if wire.source == source]
    return tuple(node_id for node_id in wires.downstream(first, ("MODEL", "GUIDER")) if node_id in sampling)


def _samples(graph: Graph, node_id: str, wires: Wiring, catalogue: Catalogue) -> bool:
    taken = {wire.type for wire in wires.taken[node_id]}
    guided = "GUIDER" in taken or {"MODEL", "CONDITIONING"} <= taken
    return guided and "LATENT" in taken and "LATENT" in _given_types(graph, node_id, wires, catalogue)


def _given_types(graph: Graph, node_id: str, wires: Wiring, catalogue: Catalogue) -> set[str]:
    spec = catalogue.get(graph[node_id]["class_type"])
    return {wire.type for wire in wires.given[node_id]} | set(spec.outputs if spec else ())
