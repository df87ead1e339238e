"""Links: an input `[node_id, slot]` takes its value from another node's output."""

from collections.abc import Iterator

from comfygen_mcp.models import GraphNode, JsonValue


def is_link(value: JsonValue) -> bool:
    match value:
        case [str(), bool()]:
            return False
        case [str(), int()]:
            return True
        case _:
            return False


def links(node: GraphNode) -> Iterator[tuple[str, str, int]]:
    """Yield input name, node id and slot of every link of *node*."""
    for name, value in node["inputs"].items():
        if is_link(value):
            yield name, value[0], value[1]
