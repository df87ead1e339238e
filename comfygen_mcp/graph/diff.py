"""Tells what differs between two graphs, input by input."""

import json
from collections.abc import Iterator
from typing import Literal, TypeAlias

from comfygen_mcp.models import Graph, GraphNode, JsonValue, Record

ChangeKind: TypeAlias = Literal["changed", "added", "removed"]


class Change(Record):
    """One difference; *input* is None where it concerns the whole node.

    A node that was added or removed shows its inputs, and one of another class both class names.
    """

    node: str
    class_type: str
    input: str | None
    before: JsonValue
    after: JsonValue
    kind: ChangeKind


def differences(before: Graph, after: Graph) -> tuple[Change, ...]:
    """Return what makes *after* of *before*, in node order; titles do not count, but 1 is not 1.0."""
    return tuple(_changes(before, after))


def _changes(before: Graph, after: Graph) -> Iterator[Change]:
    for node_id, node in before.items():
        if node_id in after:
            yield from _of_node(node_id, node, after[node_id])
        else:
            yield _change(node_id, node, None, (node["inputs"], None), "removed")
    for node_id, node in after.items():
        if node_id not in before:
            yield _change(node_id, node, None, (None, node["inputs"]), "added")


def _of_node(node_id: str, before: GraphNode, after: GraphNode) -> Iterator[Change]:
    if before["class_type"] != after["class_type"]:
        yield _change(node_id, after, None, (before["class_type"], after["class_type"]), "changed")
    old, new = before["inputs"], after["inputs"]
    for name, value in old.items():
        if name not in new:
            yield _change(node_id, after, name, (value, None), "removed")
        elif not _same(value, new[name]):
            yield _change(node_id, after, name, (value, new[name]), "changed")
    for name, value in new.items():
        if name not in old:
            yield _change(node_id, after, name, (None, value), "added")


def _change(
    node_id: str, node: GraphNode, name: str | None, values: tuple[JsonValue, JsonValue], kind: ChangeKind
) -> Change:
    before, after = values
    return Change(
        node=node_id, class_type=node["class_type"], input=name, before=before, after=after, kind=kind
    )


def _same(one: JsonValue, other: JsonValue) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
