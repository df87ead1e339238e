"""The JSON of ComfyUI's editor as records: nodes, links and subgraph definitions, whatever its version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.models import JsonValue

EXPORT_HINT = "In ComfyUI choose Workflow > Export (API) and use that file."

MUTED, BYPASSED = 2, 4
FROM_OUTSIDE, TO_OUTSIDE = "-10", "-20"
"""The ids that links of a subgraph give to its own inputs and outputs."""


@dataclass(frozen=True, slots=True)
class Socket:
    """One input of a node: *link* feeds it; *widget* names the setting that it can replace."""

    name: str
    type: str
    link: int | None = None
    widget: str | None = None


@dataclass(frozen=True, slots=True)
class EditorNode:
    """One box of the editor; *outputs* are its slots' types, *values* its settings as they were saved."""

    id: str
    type: str
    title: str
    mode: int
    inputs: tuple[Socket, ...]
    outputs: tuple[str, ...]
    values: list[JsonValue] | dict[str, JsonValue]
    promoted: tuple[tuple[str, str], ...] | None

    @property
    def first_value(self) -> JsonValue:
        """The value of the first setting: the name that SetNode and GetNode share."""
        return self.values[0] if isinstance(self.values, list) and self.values else None


@dataclass(frozen=True, slots=True)
class EditorLink:
    """A link as seen from its target: slot *slot* of node *origin*."""

    origin: str
    slot: int
    target: str
    target_slot: int


@dataclass(frozen=True, slots=True)
class EditorGraph:
    """The nodes of one level; *inputs* and *outputs* are the names of a subgraph's own slots."""

    nodes: Mapping[str, EditorNode]
    links: Mapping[int, EditorLink]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditorFile:
    """A whole file: the top level, and the subgraphs by the type that their boxes have."""

    root: EditorGraph
    subgraphs: Mapping[str, EditorGraph] = field(default_factory=dict[str, EditorGraph])


def is_editor_format(raw: JsonValue) -> bool:
    """Tell whether *raw* is what the editor saves, and not a graph that can be queued."""
    return isinstance(raw, dict) and isinstance(cast("dict[str, Any]", raw).get("nodes"), list)


def read_editor_file(raw: JsonValue) -> EditorFile:
    """Read what the editor saved; raises BadWorkflow when it is something else, or damaged."""
    if not is_editor_format(raw):
        raise BadWorkflow(
            f"This is not a workflow of ComfyUI's editor: it has no list of nodes. {EXPORT_HINT}"
        )
    file = _mapping(raw)
    definitions = [_mapping(entry) for entry in _items(_mapping(file.get("definitions")).get("subgraphs"))]
    return EditorFile(
        root=_graph(file),
        subgraphs={_text(entry.get("id")): _graph(entry) for entry in definitions},
    )


def _graph(raw: Mapping[str, JsonValue]) -> EditorGraph:
    nodes = [_node(_mapping(entry)) for entry in _items(raw.get("nodes"))]
    return EditorGraph(
        nodes={node.id: node for node in nodes},
        links=dict(_links(_items(raw.get("links")))),
        inputs=tuple(_text(_mapping(slot).get("name")) for slot in _items(raw.get("inputs"))),
        outputs=tuple(_text(_mapping(slot).get("name")) for slot in _items(raw.get("outputs"))),
    )


def _node(raw: Mapping[str, JsonValue]) -> EditorNode:
    node_id, kind = raw.get("id"), raw.get("type")
    if not isinstance(node_id, int | str) or not isinstance(kind, str):
        raise BadWorkflow(f"A node of the editor's file has no id or no type. {EXPORT_HINT}")
    values = raw.get("widgets_values")
    mode = raw.get("mode")
    return EditorNode(
        id=str(node_id),
        type=kind,
        title=_text(raw.get("title")),
        mode=mode if isinstance(mode, int) else 0,
        inputs=tuple(_socket(_mapping(entry)) for entry in _items(raw.get("inputs"))),
        outputs=tuple(_type(_mapping(entry).get("type")) for entry in _items(raw.get("outputs"))),
        values=dict(_mapping(values)) if isinstance(values, dict) else _items(values),
        promoted=_promoted(_mapping(raw.get("properties")).get("proxyWidgets")),
    )


def _socket(raw: Mapping[str, JsonValue]) -> Socket:
    link, widget = raw.get("link"), _mapping(raw.get("widget")).get("name")
    return Socket(
        name=_text(raw.get("name")),
        type=_type(raw.get("type")),
        link=link if isinstance(link, int) else None,
        widget=widget if isinstance(widget, str) else None,
    )


def _promoted(raw: JsonValue) -> tuple[tuple[str, str], ...] | None:
    """Read the settings of inner nodes that a subgraph's box shows, as node id and name."""
    if not isinstance(raw, list):
        return None
    pairs = [_items(entry) for entry in _items(raw)]
    return tuple((str(pair[0]), str(pair[1])) for pair in pairs if len(pair) >= 2)


def _links(raw: list[JsonValue]) -> Iterator[tuple[int, EditorLink]]:
    """Read links, which are lists at the top level and objects in subgraphs."""
    for entry in raw:
        match entry:
            case [int(number), int() | str() as origin, int(slot), int() | str() as target, int(at), *_]:
                yield number, EditorLink(str(origin), slot, str(target), at)
            case {
                "id": int(number),
                "origin_id": int() | str() as origin,
                "origin_slot": int(slot),
                "target_id": int() | str() as target,
                "target_slot": int(at),
            }:
                yield number, EditorLink(str(origin), slot, str(target), at)
            case _:
                continue


def _type(value: JsonValue) -> str:
    return value if isinstance(value, str) and value else "*"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: JsonValue) -> list[JsonValue]:
    return list(cast("list[Any]", value)) if isinstance(value, list) else []
