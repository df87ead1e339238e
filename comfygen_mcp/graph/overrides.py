"""Sets single inputs of a graph from outside, as `node.input`: value."""

import math
from collections.abc import Callable, Mapping
from typing import NoReturn

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.graph.catalogue import WILDCARDS, Catalogue, InputSpec
from comfygen_mcp.graph.declared import declared_input
from comfygen_mcp.graph.links import is_link
from comfygen_mcp.graph.shown import bare, listed, shown
from comfygen_mcp.models import Graph, GraphNode, JsonValue
from comfygen_mcp.names import nearest_names

_HOW = "Address an input as 'node.input', for example '12.steps'."


def with_overrides(graph: Graph, values: Mapping[str, JsonValue], catalogue: Catalogue) -> Graph:
    """Return *graph* with the inputs that *values* name set; raises BadRequest for what does not fit.

    Values become what the node's class declares (`"5"` → 5 for an INT). A link may take the place of a
    value, but a value takes the place of a link only where the input can hold one.
    """
    changed = dict(graph)
    for address, value in values.items():
        node_id, name = _parsed(address, graph)
        node = changed[node_id]
        wanted = _declared(address, node, name, catalogue)
        fitting = _fitting(address, value, wanted, (graph, node["inputs"].get(name)))
        changed[node_id] = _with_input(node, name, fitting)
    return changed


def placed(graph: Graph, values: Mapping[str, JsonValue]) -> Graph:
    """Return *graph* with the inputs that *values* name set as they are; what names none is left out."""
    changed = dict(graph)
    for address, value in values.items():
        if place := input_at(address, graph):
            changed[place[0]] = _with_input(changed[place[0]], place[1], value)
    return changed


def input_at(address: str, graph: Graph) -> tuple[str, str] | None:
    """Return node id and input of *address*, or None when it begins with no node of *graph*.

    It is split at the dot that leaves the longest node id; ids and inputs may both hold dots.
    """
    dots = (at for at in range(len(address) - 2, 0, -1) if address[at] == ".")
    return next(((address[:at], address[at + 1 :]) for at in dots if address[:at] in graph), None)


def nodes_there(node_id: str, graph: Graph) -> str:
    """Return which nodes there are, the one first that somebody may have meant by *node_id*."""
    near = nearest_names(node_id, graph, limit=1)
    meant = f"Did you mean {shown(near[0])}? " if near else ""
    return f"{meant}The graph has the nodes {listed(graph)}"


def _with_input(node: GraphNode, name: str, value: JsonValue) -> GraphNode:
    copied = node.copy()
    copied["inputs"] = {**node["inputs"], name: value}
    return copied


def _parsed(address: str, graph: Graph) -> tuple[str, str]:
    if place := input_at(address, graph):
        return place
    node_id, dot, _ = address.partition(".")
    if not dot:
        raise BadRequest(f"{shown(address)} names no input of a node. {_HOW}")
    raise UnknownName("node", node_id, graph, hint=_HOW)


def _declared(address: str, node: GraphNode, name: str, catalogue: Catalogue) -> InputSpec | None:
    """Return what the class says of an input; None for an input of the graph that it says nothing of."""
    spec = catalogue.get(node["class_type"])
    declared: Mapping[str, InputSpec] = spec.inputs if spec else {}
    if found := declared_input(node, name, catalogue):
        return found
    root = declared.get(name.partition(".")[0])
    if name in node["inputs"] or (root and root.open):
        return None
    known = [bare(other) for other in dict.fromkeys((*declared, *node["inputs"]))]
    node_id = address[: -len(name) - 1]
    raise UnknownName(
        "input", name, known, hint=f"These are the inputs of node {node_id!r} ({bare(node['class_type'])})."
    )


def _fitting(
    address: str, value: JsonValue, wanted: InputSpec | None, place: tuple[Graph, JsonValue]
) -> JsonValue:
    graph, present = place
    if is_link(value):
        return _existing_link(address, value, graph)
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(address, value, "give a finite number")
    if wanted and wanted.options:
        return _choice(address, value, wanted)
    if wanted and wanted.types & _READERS.keys():
        return _widget(address, value, wanted)
    if is_link(present) or (present is None and wanted and not wanted.types & {*WILDCARDS}):
        kind = wanted.type if wanted else "a value"
        _refuse(address, value, f'it takes {kind} from another node: give a link ["node id", slot]')
    return value


def _existing_link(address: str, value: JsonValue, graph: Graph) -> JsonValue:
    source, slot = value
    if source not in graph:
        _refuse(address, value, f"there is no node {shown(source)}. {nodes_there(source, graph)}")
    return [source, slot]


def _choice(address: str, value: JsonValue, wanted: InputSpec) -> JsonValue:
    if wanted.allows(value):
        return value
    options = wanted.options or ()
    same = next((option for option in options if str(option) == str(value)), None)
    if same is not None:
        return same
    near = nearest_names(str(value), map(str, options)) or [str(option) for option in options[:10]]
    return _refuse(address, value, f"it is not a choice. Try {', '.join(near)}")


def _widget(address: str, value: JsonValue, wanted: InputSpec) -> JsonValue:
    for kind, read in _READERS.items():
        if kind in wanted.types and (fitting := read(value)) is not None:
            _check_range(address, fitting, wanted)
            return fitting
    return _refuse(address, value, f"it takes {wanted.type}")


def _whole(value: JsonValue) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return int(value) if value.is_integer() else None
        case str():
            return _whole_text(value.strip())
        case _:
            return None


def _whole_text(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 40 else None


def _real(value: JsonValue) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _truth(value: JsonValue) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.casefold()) if isinstance(value, str) else None


def _text(value: JsonValue) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _plain(value: JsonValue) -> JsonValue:
    return value if isinstance(value, str | int | float) else None


_READERS: Mapping[str, Callable[[JsonValue], JsonValue]] = {
    "INT": _whole,
    "FLOAT": _real,
    "BOOLEAN": _truth,
    "STRING": _text,
    "COMBO": _plain,
}
"""Types of inputs that hold a value → how it is read; None is returned for what is none."""


def _check_range(address: str, value: JsonValue, wanted: InputSpec) -> None:
    if not isinstance(value, int | float):
        return
    if wanted.minimum is not None and value < wanted.minimum:
        _refuse(address, value, f"the smallest is {wanted.minimum}")
    if wanted.maximum is not None and value > wanted.maximum:
        _refuse(address, value, f"the largest is {wanted.maximum}")


def _refuse(address: str, value: JsonValue, why: str) -> NoReturn:
    text = repr(value)
    given = text if len(text) <= 60 else f"{text[:57]}..."
    raise BadRequest(f"{bare(address)}={given} does not fit: {why}.")
