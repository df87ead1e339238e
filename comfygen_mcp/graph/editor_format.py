"""What ComfyUI's editor saves, turned into the graph that it would queue."""

from collections.abc import Iterator

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, NodeSpec
from comfygen_mcp.graph.editor_file import EXPORT_HINT, EditorNode, is_editor_format, read_editor_file
from comfygen_mcp.graph.editor_levels import In, Level, Out, Setting, Value, running_nodes, shown_settings
from comfygen_mcp.graph.editor_links import source_of
from comfygen_mcp.graph.editor_settings import plain, settings
from comfygen_mcp.graph.links import links
from comfygen_mcp.models import Graph, GraphNode, JsonValue
from comfygen_mcp.names import nearest_names

__all__ = ["editor_classes", "from_editor", "is_editor_format"]


def editor_classes(raw: JsonValue) -> frozenset[str]:
    """Return the node classes that a file of the editor runs; raises BadWorkflow when it is damaged."""
    return frozenset(node.type for _, node in running_nodes(read_editor_file(raw)))


def from_editor(raw: JsonValue, catalogue: Catalogue) -> Graph:
    """Return the graph of a file of the editor, subgraphs flattened (their nodes have ids like `57:3`).

    The file leaves out what a class declares, so *catalogue* must know every class: else BadWorkflow.
    """
    nodes = [pair for pair in running_nodes(read_editor_file(raw)) if not _stands_alone(*pair, catalogue)]
    graph = {level.path + node.id: _graph_node(level, node, catalogue) for level, node in nodes}
    if not graph:
        raise BadWorkflow("The workflow has no node that runs: all are muted, bypassed or notes.")
    return {node_id: _without_dangling(node, graph) for node_id, node in graph.items()}


def _stands_alone(level: Level, node: EditorNode, catalogue: Catalogue) -> bool:
    """Tell whether *node* is a decoration of some extension: unknown, and linked to nothing."""
    if node.type in catalogue or any(socket.link is not None for socket in node.inputs):
        return False
    return not any(link.origin == node.id for link in level.graph.links.values())


def _spec(node: EditorNode, catalogue: Catalogue) -> NodeSpec:
    spec = catalogue.get(node.type)
    if spec is None:
        near = nearest_names(node.type, catalogue.nodes, limit=1)
        meant = f"The nearest known class is {near[0]!r}. " if near else ""
        raise BadWorkflow(
            "The workflow is in the format of ComfyUI's editor and cannot be converted: its node "
            f"{node.id} is a {node.type[:80]!r}, which is not known here. {meant}{EXPORT_HINT}"
        )
    return spec


def _graph_node(level: Level, node: EditorNode, catalogue: Catalogue) -> GraphNode:
    spec = _spec(node, catalogue)
    own = {**settings(node, spec), **shown_settings(level, node)}
    inputs = {**own, **dict(_linked(level, node, catalogue))}
    made = GraphNode(class_type=node.type, inputs=inputs)
    if node.title:
        made["_meta"] = {"title": node.title}
    return made


def _linked(level: Level, node: EditorNode, catalogue: Catalogue) -> Iterator[tuple[str, JsonValue]]:
    for at, socket in enumerate(node.inputs):
        match source_of(In(level, node, at)):
            case Out(origin, source, slot):
                yield socket.name, [origin.path + source.id, slot]
            case Value(value):
                yield socket.name, plain(value)
            case Setting(where, other, name) if other is not node:
                shown = {**settings(other, _spec(other, catalogue)), **shown_settings(where, other)}
                if name in shown:
                    yield socket.name, shown[name]
            case _:
                continue


def _without_dangling(node: GraphNode, graph: Graph) -> GraphNode:
    """Leave out links to nodes that were left out themselves."""
    dangling = {name for name, source, _ in links(node) if source not in graph}
    kept = {name: value for name, value in node["inputs"].items() if name not in dangling}
    return {**node, "inputs": kept} if dangling else node
