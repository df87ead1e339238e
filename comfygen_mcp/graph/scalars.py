"""Reads a value of a node, also where it comes from a primitive or by way of a switch."""

from comfygen_mcp.graph.links import is_link
from comfygen_mcp.models import Graph, JsonValue

_HOLDERS = ("value", "seed", "noise_seed", "text", "string", "number")
"""Inputs that hold the value which a primitive node gives."""


def scalar(graph: Graph, node_id: str, name: str) -> JsonValue:
    """Return the value of an input; None where it is missing or computed while the graph runs."""
    seen: set[tuple[str, str]] = set()
    while (node_id, name) not in seen:
        seen.add((node_id, name))
        inputs = graph[node_id]["inputs"]
        if name not in inputs or not is_link(inputs[name]):
            return inputs.get(name)
        source: str = inputs[name][0]
        if source not in graph:
            return None
        node_id, name = source, _giving_input(graph, source)
    return None


def switched_input(graph: Graph, node_id: str) -> str | None:
    """Return the input that a switch lets through; None for other nodes, and where that is not known."""
    inputs = graph[node_id]["inputs"]
    if not {"switch", "on_true", "on_false"} <= inputs.keys():
        return None
    state = scalar(graph, node_id, "switch")
    return {True: "on_true", False: "on_false"}[state] if isinstance(state, bool) else None


def text_of(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def whole_of(value: JsonValue) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case _:
            return None


def real_of(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _giving_input(graph: Graph, node_id: str) -> str:
    inputs = graph[node_id]["inputs"]
    if chosen := switched_input(graph, node_id):
        return chosen
    return next((name for name in _HOLDERS if name in inputs), "")
