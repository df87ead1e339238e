"""Plain values, and the node that shows any value as text."""

import json
from typing import Any

from comfygen_mcp.engine.nodes.spec import Input, Node, link, slots
from comfygen_mcp.engine.task import Shown, Task

LARGEST = 2**63 - 1
CATEGORY = "utilities/primitive"
MODULE = "comfy_extras.nodes_primitive"


def pass_on(_: Task, *, value: Any) -> tuple[Any]:
    return (value,)


def show(_: Task, *, source: Any = None) -> Shown:
    value = source if isinstance(source, str) else _as_text(source)
    return Shown((value,), {"text": [value]})


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return f"<{type(value).__name__}>"


def _primitive(kind: str, spec: Input) -> Node:
    name = {"INT": "Int", "FLOAT": "Float", "STRING": "String"}[kind]
    return Node(f"Primitive{name}", name, CATEGORY, {"value": spec}, slots(kind), pass_on, module=MODULE)


NODES = (
    _primitive("INT", Input("INT", {"min": -LARGEST, "max": LARGEST, "control_after_generate": "fixed"})),
    _primitive("FLOAT", Input("FLOAT", {"min": -LARGEST, "max": LARGEST, "step": 0.1})),
    _primitive("STRING", Input("STRING", {"multiline": False})),
    Node(
        "PreviewAny",
        "Preview as Text",
        "utilities",
        {"source": link("*")},
        slots("STRING"),
        show,
        module="comfy_extras.nodes_preview_any",
        output_node=True,
    ),
)
