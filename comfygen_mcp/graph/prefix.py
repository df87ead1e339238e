"""Gives every saving node a file name prefix of its own, so that no run meets another's files."""

from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.models import Graph, GraphNode

_INPUT = "filename_prefix"


def with_filename_prefix(graph: Graph, prefix: str, catalogue: Catalogue) -> Graph:
    """Return *graph* with `prefix`, `prefix-2`, ... on its saving nodes, in the order of the graph.

    A saving node is one whose class takes a `filename_prefix`, or that sets one (for unknown classes).
    """
    saving = [node_id for node_id, node in graph.items() if _saves(node, catalogue)]
    names = {node_id: _numbered(prefix, at) for at, node_id in enumerate(saving, start=1)}
    return {
        node_id: _with_input(node, names[node_id]) if node_id in names else node
        for node_id, node in graph.items()
    }


def _saves(node: GraphNode, catalogue: Catalogue) -> bool:
    spec = catalogue.get(node["class_type"])
    return _INPUT in node["inputs"] or (spec is not None and _INPUT in spec.inputs)


def _numbered(prefix: str, at: int) -> str:
    return prefix if at == 1 else f"{prefix}-{at}"


def _with_input(node: GraphNode, value: str) -> GraphNode:
    changed = node.copy()
    changed["inputs"] = {**node["inputs"], _INPUT: value}
    return changed
