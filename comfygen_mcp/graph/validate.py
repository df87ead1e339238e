"""Finds what ComfyUI would refuse in the values of a graph, as far as a catalogue can tell."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from comfygen_mcp.graph.catalogue import Catalogue, InputSpec, NodeSpec
from comfygen_mcp.graph.links import links
from comfygen_mcp.graph.shown import shown
from comfygen_mcp.models import Graph, GraphNode, JsonValue, Record
from comfygen_mcp.names import nearest_names

ProblemType: TypeAlias = Literal[
    "missing_node_type",
    "required_input_missing",
    "value_not_in_list",
    "value_smaller_than_min",
    "value_bigger_than_max",
    "invalid_input_type",
]
"""ComfyUI's own names for what it refuses."""


class Problem(Record):
    """One thing that ComfyUI would refuse; *input* is None when it concerns the whole node."""

    type: ProblemType
    node: str
    class_type: str
    input: str | None = None
    message: str


def validate(graph: Graph, catalogue: Catalogue) -> tuple[Problem, ...]:
    """Return the problems of unknown classes, and of the values of nodes that lead to an output.

    Names of installed files are only checked against a catalogue that came from a server.
    """
    unknown = [_unknown_class(node_id, node, catalogue) for node_id, node in graph.items()]
    problems = [problem for problem in unknown if problem]
    for node_id in sorted(_leading_to_outputs(graph, catalogue)):
        node = graph[node_id]
        if spec := catalogue.get(node["class_type"]):
            problems += _value_problems(node_id, node, spec)
    return tuple(problems)


def _leading_to_outputs(graph: Graph, catalogue: Catalogue) -> set[str]:
    """Return the nodes that ComfyUI validates; all of them when no output node is known."""
    outputs = [
        node_id
        for node_id, node in graph.items()
        if (spec := catalogue.get(node["class_type"])) and spec.output_node
    ]
    found, open_ends = set[str](), outputs or list(graph)
    while open_ends:
        node_id = open_ends.pop()
        if node_id not in found and node_id in graph:
            found.add(node_id)
            open_ends += [source for _, source, _ in links(graph[node_id])]
    return found


def _unknown_class(node_id: str, node: GraphNode, catalogue: Catalogue) -> Problem | None:
    class_type = node["class_type"]
    if class_type in catalogue:
        return None
    near = nearest_names(class_type, catalogue.nodes, limit=1)
    meant = f" Did you mean {near[0]!r}?" if near else " It comes from a custom node pack."
    message = f"There is no node class {shown(class_type)}.{meant}"
    return Problem(type="missing_node_type", node=node_id, class_type=class_type, message=message)


def _value_problems(node_id: str, node: GraphNode, spec: NodeSpec) -> Iterator[Problem]:
    inputs = node["inputs"]
    for name, wanted in spec.inputs.items():
        if name not in inputs:
            if wanted.required and not wanted.open:
                message = f"{name!r} is missing."
                yield _problem(node_id, spec, name, ("required_input_missing", message))
        elif not isinstance(inputs[name], list) and (found := _value_problem(name, inputs[name], wanted)):
            yield _problem(node_id, spec, name, found)


def _problem(node_id: str, spec: NodeSpec, name: str, found: tuple[ProblemType, str]) -> Problem:
    kind, message = found
    return Problem(type=kind, node=node_id, class_type=spec.class_type, input=name, message=message)


def _value_problem(name: str, value: JsonValue, wanted: InputSpec) -> tuple[ProblemType, str] | None:
    if wanted.options is not None:
        return None if wanted.allows(value) else ("value_not_in_list", _no_choice(name, value, wanted))
    return _number_problem(name, value, wanted) if wanted.types & {"INT", "FLOAT"} else None


def _no_choice(name: str, value: JsonValue, wanted: InputSpec) -> str:
    options = [str(option) for option in wanted.options or ()]
    near = nearest_names(str(value), options) or options[:10]
    return f"{name}={_short(value)} is not a choice. Try {', '.join(near)}."


def _number_problem(name: str, value: JsonValue, wanted: InputSpec) -> tuple[ProblemType, str] | None:
    number = _as_number(value)
    if number is None:
        return "invalid_input_type", f"{name}={_short(value)} is not a number ({wanted.type})."
    if wanted.minimum is not None and number < wanted.minimum:
        return "value_smaller_than_min", f"{name}={number} is below {wanted.minimum}."
    if wanted.maximum is not None and number > wanted.maximum:
        return "value_bigger_than_max", f"{name}={number} is above {wanted.maximum}."
    return None


def _as_number(value: JsonValue) -> float | None:
    """Read a number as ComfyUI does, which takes "64" and true; whole numbers stay exact beyond 2**53."""
    if isinstance(value, int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
