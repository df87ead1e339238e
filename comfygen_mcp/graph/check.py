"""Checks the links of a graph before it is sent, because ComfyUI blames the wrong node for a bad one."""

from collections.abc import Collection, Mapping
from typing import Any, NoReturn, cast

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import WILDCARDS, Catalogue, InputSpec
from comfygen_mcp.graph.declared import declared_input
from comfygen_mcp.graph.links import is_link, links
from comfygen_mcp.graph.overrides import nodes_there
from comfygen_mcp.graph.shown import bare, shown
from comfygen_mcp.graph.validate import Problem, validate
from comfygen_mcp.models import Graph

__all__ = ["Problem", "check_links", "validate"]


_HOW_TO_LIST = 'A link is ["node id", slot], the id as text; write a plain list as {"__value__": [...]}'


def check_links(graph: Graph, catalogue: Catalogue) -> None:
    """Raise BadWorkflow unless every link leads to an existing slot of a fitting type, without a circle.

    Slots and types are checked where *catalogue* knows the classes; the graph must have an output node.
    """
    if not graph:
        raise BadWorkflow("The graph is empty.")
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                _check_link(graph, catalogue, (node_id, name), cast("list[Any]", value))
    _refuse_circles(graph)
    if not _has_output(graph, catalogue):
        raise BadWorkflow("The graph saves nothing: it has no output node. Add a SaveImage node at its end.")


def _check_link(graph: Graph, catalogue: Catalogue, place: tuple[str, str], value: list[Any]) -> None:
    if not is_link(value):
        _refuse(graph, place, f"is the list {str(value)[:60]}, which is no link. {_HOW_TO_LIST}")
    source_id, slot = cast("tuple[str, int]", tuple(value))
    if source_id not in graph:
        there = nodes_there(source_id, graph)
        _refuse(graph, place, f"links to node {shown(source_id)}, which does not exist. {there}")
    if source := catalogue.get(graph[source_id]["class_type"]):
        _check_slot(graph, place, f"slot {slot} of {_named(graph, source_id)}", slot, source.outputs)
        node_id, name = place
        wanted = declared_input(graph[node_id], name, catalogue)
        given = source.outputs[slot]
        if wanted and not _fits(given, wanted):
            _refuse(graph, place, f"needs {wanted.type}, but {_named(graph, source_id)} gives {given}")


def _check_slot(
    graph: Graph, place: tuple[str, str], shown: str, slot: int, outputs: tuple[str, ...]
) -> None:
    if not 0 <= slot < len(outputs):
        slots = ", ".join(f"{at} {kind}" for at, kind in enumerate(outputs)) or "none"
        _refuse(graph, place, f"links to {shown}, which has these slots: {slots}")


def _fits(given: str, wanted: InputSpec) -> bool:
    """Tell whether an output may feed an input; choices are left to the server, which compares the lists."""
    loose = (*WILDCARDS, "COMBO")
    types = wanted.types | set(given.split(","))
    return any(kind in loose for kind in types) or bool(wanted.types & set(given.split(",")))


def _refuse(graph: Graph, place: tuple[str, str], what: str) -> NoReturn:
    node_id, name = place
    raise BadWorkflow(f"Input {shown(name)} of {_named(graph, node_id)} {what.rstrip('.')}.")


def _named(graph: Graph, node_id: str) -> str:
    return f"node {shown(node_id)} ({bare(graph[node_id]['class_type'])})"


def _refuse_circles(graph: Graph) -> None:
    """Take away nodes whose inputs are all done until none is left; what stays has a circle before it."""
    waiting = {node_id: {source for _, source, _ in links(node)} for node_id, node in graph.items()}
    users: dict[str, list[str]] = {node_id: [] for node_id in graph}
    for node_id, sources in waiting.items():
        for source in sources:
            users[source].append(node_id)
    ready = [node_id for node_id, sources in waiting.items() if not sources]
    while ready:
        done = ready.pop()
        del waiting[done]
        for user in users[done]:
            waiting[user].discard(done)
            if not waiting[user]:
                ready.append(user)
    if waiting:
        circle = _circle(waiting)
        named = ", ".join(_named(graph, node_id) for node_id in circle[:5])
        more = f" and {len(circle) - 5} more" if len(circle) > 5 else ""
        raise BadWorkflow(f"The links go round in a circle among: {named}{more}.")


def _circle(waiting: Mapping[str, Collection[str]]) -> list[str]:
    """Return the nodes of one circle; others in *waiting* only stand behind it."""
    way: dict[str, None] = {}
    node_id = next(iter(waiting))
    while node_id not in way:
        way[node_id] = None
        # Each node still waits for one that waits too, so that the way back never ends.
        node_id = min(waiting[node_id])
    walked = list(way)
    circle = walked[walked.index(node_id) :][::-1]
    inside = set(circle)
    first = circle.index(next(other for other in waiting if other in inside))
    return circle[first:] + circle[:first]


def _has_output(graph: Graph, catalogue: Catalogue) -> bool:
    specs = [catalogue.get(node["class_type"]) for node in graph.values()]
    return any(spec is None or spec.output_node for spec in specs)
