"""Reads one workflow file: API-format JSON, with `_workflow_metadata` beside the nodes."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NoReturn, TypeAlias, cast

from pydantic import ValidationError

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.kinds import with_kind
from comfygen_mcp.graph.metadata import WorkflowMetadata
from comfygen_mcp.graph.shown import bare, shown
from comfygen_mcp.models import Graph, GraphNode, JsonValue, Record
from comfygen_mcp.names import nearest_names

METADATA_KEY = "_workflow_metadata"
Source: TypeAlias = Literal["bundled", "user", "path"]
MOST_NODES = 2000
"""Large drawn workflows have some hundred; ComfyUI looks at every node before it answers."""

_MOST_NESTING = 64
_LONGEST_NAME = 200
"""Ids of nodes in nested subgraphs are the longest names that are meant."""


class Workflow(Record):
    """A template: the graph with its placeholders, and what the file says about itself.

    *name* is the file's stem; *reference* finds the same file again in `WorkflowLibrary.load`.
    """

    name: str
    file: str
    source: Source
    reference: str
    graph: Graph
    metadata: WorkflowMetadata

    @property
    def family(self) -> str:
        """The name that this model's workflows for other kinds of task share."""
        return self.metadata.family or self.name


CUSTOM = "custom"
"""What a graph is called that came with a request, not from a file."""


def custom_workflow(graph: Graph) -> Workflow:
    """Return a caller's own graph as a workflow that nobody has described."""
    file = f"{CUSTOM}.json"
    metadata = WorkflowMetadata(workflow_name=CUSTOM, kind="other")
    return Workflow(name=CUSTOM, file=file, source="path", reference=file, graph=graph, metadata=metadata)


def parse_workflow(text: str, *, file: str, source: Source = "path", reference: str = "") -> Workflow:
    """Read the text of a workflow file; raises BadWorkflow and says what to do about it."""
    root = _json_object(text, file)
    _refuse_other_formats(root, file)
    metadata = _metadata(root.pop(METADATA_KEY, None), file)
    if not root:
        raise BadWorkflow(f"{file} has no nodes. {_EXPORT_HINT}")
    if len(root) > MOST_NODES:
        raise BadWorkflow(f"{file}: {too_many_nodes(len(root))}")
    graph = {node_id: _node(node_id, node, file) for node_id, node in root.items()}
    check_names(graph, file)
    return Workflow(
        name=file.removesuffix(".json"),
        file=file,
        source=source,
        reference=reference or file,
        graph=graph,
        metadata=with_kind(metadata, graph),
    )


def too_many_nodes(count: int) -> str:
    """Return what is said of a graph of more than MOST_NODES."""
    return (
        f"The graph has {count} nodes; at most {MOST_NODES} are run. Split it, or leave out what leads to "
        "no output."
    )


def check_names(graph: Graph, file: str) -> None:
    """Raise BadWorkflow for a node id, class or input with a name that is too long to be meant."""
    for node_id, node in graph.items():
        check_name("the node id", node_id, file)
        check_name("the node class", node["class_type"], file)
        for name in node["inputs"]:
            check_name("the input", name, file)


def check_name(what: str, name: str, file: str) -> None:
    """Raise BadWorkflow for a name that is too long to be meant."""
    if len(name) > _LONGEST_NAME:
        raise BadWorkflow(
            f"{file}: {what} {shown(name)} has {len(name):,} characters; at most {_LONGEST_NAME} are "
            "possible. Such a graph is damaged, or was not made by ComfyUI."
        )


_EXPORT_HINT = "In ComfyUI choose Workflow > Export (API) and use that file."


def _json_object(text: str, file: str) -> dict[str, JsonValue]:
    try:
        root = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(root, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise BadWorkflow(
            f"{file} line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})."
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadWorkflow(f"{file} cannot be read as JSON: {_short(error)}.") from error
    if not isinstance(root, dict):
        raise BadWorkflow(f"{file} must hold an object of nodes, not {_kind_of(root)}. {_EXPORT_HINT}")
    return cast("dict[str, JsonValue]", root)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _refuse_other_formats(root: Mapping[str, JsonValue], file: str) -> None:
    if isinstance(root.get("nodes"), list):
        raise BadWorkflow(
            f"{file} is a workflow in the format of ComfyUI's editor, which cannot be queued. {_EXPORT_HINT}"
        )
    prompt = root.get("prompt")
    if isinstance(prompt, dict) and "class_type" not in prompt and "inputs" not in prompt:
        raise BadWorkflow(f'{file} is a whole /prompt request: save only the object under its key "prompt".')


def _metadata(value: JsonValue, file: str) -> WorkflowMetadata:
    if value is None:
        return WorkflowMetadata()
    try:
        return WorkflowMetadata.model_validate(value)
    except ValidationError as error:
        raise BadWorkflow(f"{file}: {_metadata_problem(error)}") from error


def _metadata_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in (METADATA_KEY, *first["loc"]))
    if first["type"] != "extra_forbidden":
        return f"{place}: {first['msg']}."
    key = str(first["loc"][-1])
    near = nearest_names(key, WorkflowMetadata.model_fields) if len(first["loc"]) == 1 else []
    meant = f" Did you mean {near[0]!r}?" if near else " See docs/workflows.md for the keys."
    return f"{place} is not a known key.{meant}"


def _node(node_id: str, value: JsonValue, file: str) -> GraphNode:
    if not isinstance(value, dict):
        raise BadWorkflow(
            f"{file}: node {shown(node_id)} must be an object, not {_kind_of(value)}. {_EXPORT_HINT}"
        )
    node = cast("dict[str, JsonValue]", value)
    class_type, inputs, meta = node.get("class_type"), node.get("inputs"), node.get("_meta")
    if not isinstance(class_type, str) or not class_type:
        raise BadWorkflow(f"{file}: node {shown(node_id)} has no class_type. {_EXPORT_HINT}")
    named = f"{file}: node {shown(node_id)} ({bare(class_type)})"
    if not isinstance(inputs, dict):
        raise BadWorkflow(f"{named} has no inputs. {_EXPORT_HINT}")
    values = cast("dict[str, JsonValue]", inputs)
    if _depth(values) > _MOST_NESTING:
        raise BadWorkflow(f"{named} is nested too deeply.")
    made = GraphNode(class_type=class_type, inputs=values)
    if isinstance(meta, dict):
        made["_meta"] = cast("dict[str, JsonValue]", meta)
    return made


def _depth(value: JsonValue) -> int:
    """Levels of lists and objects, counted level by level so that depth cannot exhaust the stack."""
    level, depth = [value], 0
    while level := [child for item in level for child in _children(item)]:
        depth += 1
    return depth


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("list[Any]", value) if isinstance(value, list) else []


def _kind_of(value: JsonValue) -> str:
    match value:
        case list():
            return "a list"
        case str():
            return "text"
        case bool() | None:
            return "true, false or null"
        case _:
            return "a number"


def _short(error: Exception) -> str:
    match error:
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeEncodeError():
            return "it holds half a character (a lone surrogate)"
        case _:
            return str(error)
