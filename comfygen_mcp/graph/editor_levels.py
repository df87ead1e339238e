"""The levels of an editor's file: the top, and the inside of every subgraph's box, each with its own ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.editor_file import (
    BYPASSED,
    FROM_OUTSIDE,
    MUTED,
    EditorFile,
    EditorGraph,
    EditorNode,
    Socket,
)
from comfygen_mcp.models import JsonValue

PASSING = ("Reroute",)
"""Boxes that only pass a link on."""
NOTES = ("Note", "MarkdownNote")
"""Boxes that are there for people."""
PRIMITIVE = "PrimitiveNode"
"""A box whose value stands in for the settings that it is linked to."""
SENDING, RECEIVING = "SetNode", "GetNode"
"""Boxes that pass a link on by name."""

MOST_NODES = 5000
"""More than a person draws; copies of copies of subgraphs would grow without end."""
_OUTSIDE_ITSELF = "-1"
"""How a box's list of settings names its own inputs, in place of an inner node."""


@dataclass(frozen=True, slots=True)
class Level:
    """The top (*box* None), or the inside of one *box*; *path* leads every node's id."""

    file: EditorFile
    graph: EditorGraph
    path: str = ""
    box: EditorNode | None = None
    outer: "Level | None" = None

    def inside(self, box: EditorNode) -> "Level":
        """Return the level inside the subgraph *box*; raises BadWorkflow for one that holds itself."""
        if any(level.box and level.box.type == box.type for level in self.outwards()):
            raise BadWorkflow(f"The subgraph of node {self.path + box.id!r} holds itself.")
        return Level(self.file, self.file.subgraphs[box.type], f"{self.path}{box.id}:", box, self)

    def outwards(self) -> Iterator["Level"]:
        """Yield this level and all around it."""
        level: Level | None = self
        while level is not None:
            yield level
            level = level.outer


class In(NamedTuple):
    """Input number *at* of a node."""

    level: Level
    node: EditorNode
    at: int

    @property
    def socket(self) -> Socket:
        return self.node.inputs[self.at]


class Out(NamedTuple):
    """Output number *slot* of a node."""

    level: Level
    node: EditorNode
    slot: int


class Value(NamedTuple):
    """A value that stands in for a link."""

    value: JsonValue


class Setting(NamedTuple):
    """The setting of a node that stands in for a link."""

    level: Level
    node: EditorNode
    name: str


def running_nodes(file: EditorFile) -> list[tuple[Level, EditorNode]]:
    """Return the nodes that run, those of subgraphs with their level; raises BadWorkflow for too many."""
    found: list[tuple[Level, EditorNode]] = []
    unreal = {*PASSING, *NOTES, PRIMITIVE, SENDING, RECEIVING}
    waiting = [Level(file, file.root)]
    seen = 0
    while waiting:
        level = waiting.pop(0)
        active = [node for node in level.graph.nodes.values() if node.mode not in {MUTED, BYPASSED}]
        found += [(level, node) for node in active if node.type not in {*unreal, *file.subgraphs}]
        waiting += [level.inside(node) for node in active if node.type in file.subgraphs]
        seen += 1
        if max(seen, len(found), len(waiting)) > MOST_NODES:
            raise BadWorkflow(
                f"The workflow has more than {MOST_NODES} nodes, those of its subgraphs counted."
            )
    return found


def shown_value(level: Level, slot: int) -> "Value | Setting | None":
    """Return the value that the box around *level* has for its input number *slot*.

    A box without values of its own shows those of the settings inside: the first one stands for all.
    """
    values = dict(_shown_values(level))
    name = level.graph.inputs[slot]
    if name in values:
        return Value(values[name])
    inner = next(_settings_behind(level, slot), None)
    if inner is None or inner.node.type not in level.file.subgraphs:
        return inner
    below = level.inside(inner.node)
    names = below.graph.inputs
    return shown_value(below, names.index(inner.name)) if inner.name in names else None


def shown_settings(level: Level, node: EditorNode) -> dict[str, JsonValue]:
    """Return the settings of the inner *node* that the box around it sets by name."""
    box = level.box
    if box is None or box.promoted is None or not isinstance(box.values, list):
        return {}
    if len(box.promoted) != len(box.values):
        return {}
    pairs = zip(box.promoted, box.values, strict=True)
    return {name: value for (node_id, name), value in pairs if node_id == node.id and value is not None}


def _shown_values(level: Level) -> Iterator[tuple[str, JsonValue]]:
    """Yield input name → value of a box: by name, by its list of settings, or in the order of its inputs."""
    box = level.box
    if box is None:
        return
    if isinstance(box.values, dict):
        yield from box.values.items()
    elif box.promoted is not None and len(box.promoted) == len(box.values):
        pairs = zip(box.promoted, box.values, strict=True)
        yield from ((name, value) for (node_id, name), value in pairs if node_id == _OUTSIDE_ITSELF)
    else:
        names = [name for slot, name in enumerate(level.graph.inputs) if any(_settings_behind(level, slot))]
        yield from zip(names, box.values, strict=False)


def _settings_behind(level: Level, slot: int) -> Iterator[Setting]:
    """Yield the settings of inner nodes that input number *slot* of a subgraph leads to."""
    for link in level.graph.links.values():
        target = level.graph.nodes.get(link.target)
        if link.origin == FROM_OUTSIDE and link.slot == slot and target:
            socket = target.inputs[link.target_slot] if link.target_slot < len(target.inputs) else None
            if socket and socket.widget is not None:
                yield Setting(level, target, socket.name)
