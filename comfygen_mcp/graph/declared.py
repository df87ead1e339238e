"""What a node class declares of an input, those that a choice of a dynamic combo brings along included."""

from collections.abc import Mapping

from comfygen_mcp.graph.catalogue import Catalogue, InputSpec
from comfygen_mcp.models import GraphNode, JsonValue


def declared_input(node: GraphNode, name: str, catalogue: Catalogue) -> InputSpec | None:
    """Return the declaration of input *name* of *node*, or None where there is none.

    Inputs below a dynamic combo are called `combo.input`, and depend on what is chosen there.
    """
    spec = catalogue.get(node["class_type"])
    return _below(spec.inputs, name, node["inputs"], "") if spec else None


def _below(
    declared: Mapping[str, InputSpec], name: str, values: Mapping[str, JsonValue], path: str
) -> InputSpec | None:
    if name in declared:
        return declared[name]
    start, _, rest = name.partition(".")
    root, choice = declared.get(start), values.get(path + start)
    if not rest or root is None or not root.branches or not isinstance(choice, str | int | float):
        return None
    return _below(root.branches.get(choice, {}), rest, values, f"{path}{start}.")
