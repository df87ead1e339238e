"""Plain values, and the nodes that show any value as text or write text to a file."""

import json
from typing import Any

from comfygen_mcp.engine.nodes.saving import HIDDEN_V3, prefix_input, target
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, link, slots
from comfygen_mcp.engine.task import Shown, Task

LARGEST = 2**63 - 1
CATEGORY = "utilities/primitive"
MODULE = "comfy_extras.nodes_primitive"


def pass_on(_: Task, *, value: Any) -> tuple[Any]:
    return (value,)


def show(_: Task, *, source: Any = None) -> Shown:
    value = source if isinstance(source, str) else _as_text(source)
    return Shown((value,), {"text": [value]})


def save(task: Task, *, text: str, filename_prefix: str, **given: str) -> Shown:
    path, listed = target(task, "output", filename_prefix).file(f".{given['format']}")
    path.write_text(text, encoding="utf-8")
    return Shown((text,), {"text": [text], "files": [listed]})


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
    Node(
        "SaveText",
        "Save Text",
        "text",
        {
            "text": Input("STRING", {"forceInput": True, "multiline": False}),
            "filename_prefix": prefix_input(tooltip=None),
            "format": choice("txt", "csv", "md", "json", form="v3", default="txt"),
        },
        slots("STRING:text"),
        save,
        module="comfy_extras.nodes_text",
        output_node=True,
        hidden=HIDDEN_V3,
    ),
)
