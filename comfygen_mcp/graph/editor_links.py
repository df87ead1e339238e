"""Follows a link of the editor to what really feeds it: through reroutes, bypassed nodes and subgraphs."""

from typing import NoReturn, TypeAlias

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.editor_file import BYPASSED, FROM_OUTSIDE, MUTED, TO_OUTSIDE, EditorNode
from comfygen_mcp.graph.editor_levels import (
    NOTES,
    PASSING,
    PRIMITIVE,
    RECEIVING,
    SENDING,
    In,
    Level,
    Out,
    Setting,
    Value,
    shown_value,
)
from comfygen_mcp.graph.shown import bare, shown

Source: TypeAlias = Out | Value | Setting | None
"""What feeds an input: the output of a node that runs, a value, another's setting, or nothing at all."""


def source_of(start: In) -> Source:
    """Return what feeds the input *start*; raises BadWorkflow when the way to it goes in a circle."""
    place: In | Source = start
    wanted = start.socket.type
    seen: set[tuple[type, str, int, str]] = set()
    while isinstance(place, In | Out):
        step = _step(place, wanted)
        if step in seen:
            _refuse_circle(start)
        seen.add(step)
        if isinstance(place, In):
            wanted = place.socket.type if place.socket.type != "*" else wanted
            place = _feeding(place)
        elif not _runs(place.level, place.node):
            place = _before(place, wanted)
        else:
            return place
    return place


def _step(place: In | Out, wanted: str) -> tuple[type, str, int, str]:
    at = place.at if isinstance(place, In) else place.slot
    return type(place), place.level.path + place.node.id, at, wanted


def _refuse_circle(start: In) -> NoReturn:
    node_id = start.level.path + start.node.id
    raise BadWorkflow(
        f"The links before node {shown(node_id)} ({bare(start.node.type)}) go round in a circle."
    )


def _runs(level: Level, node: EditorNode) -> bool:
    unreal = (*PASSING, *NOTES, PRIMITIVE, SENDING, RECEIVING)
    return node.mode not in {MUTED, BYPASSED} and node.type not in {*unreal, *level.file.subgraphs}


def _feeding(place: In) -> In | Source:
    """Go along the link of an input, out of the subgraph where it comes from there."""
    level = place.level
    link = level.graph.links.get(place.socket.link) if place.socket.link is not None else None
    if link is None:
        return None
    if link.origin == FROM_OUTSIDE:
        return _outside(level, link.slot)
    origin = level.graph.nodes.get(link.origin)
    return Out(level, origin, link.slot) if origin else None


def _outside(level: Level, slot: int) -> In | Source:
    """Return the input of the subgraph's box, or the value that the box shows in place of a link."""
    if level.box is None or level.outer is None or not 0 <= slot < len(level.graph.inputs):
        return None
    name = level.graph.inputs[slot]
    at = next((at for at, socket in enumerate(level.box.inputs) if socket.name == name), None)
    if at is not None and level.box.inputs[at].link is not None:
        return In(level.outer, level.box, at)
    return shown_value(level, slot)


def _before(place: Out, wanted: str) -> In | Source:
    """Go through a box that does not run itself to the input or the inner output behind *place*."""
    level, node, slot = place
    if node.mode == MUTED or node.type in NOTES:
        return None
    if node.mode == BYPASSED:
        at = _bypass(node, slot, wanted)
        return None if at is None else In(level, node, at)
    if node.type in level.file.subgraphs:
        return _inside(level.inside(node), slot)
    if node.type == PRIMITIVE:
        return None if node.first_value is None else Value(node.first_value)
    if node.type == RECEIVING:
        return _sender(level, node)
    return In(level, node, min(slot, len(node.inputs) - 1)) if node.inputs else None


def _inside(level: Level, slot: int) -> In | Source:
    ends = (link for link in level.graph.links.values() if link.target == TO_OUTSIDE)
    link = next((link for link in ends if link.target_slot == slot), None)
    if link is None:
        return None
    if link.origin == FROM_OUTSIDE:
        return _outside(level, link.slot)
    origin = level.graph.nodes.get(link.origin)
    return Out(level, origin, link.slot) if origin else None


def _sender(level: Level, node: EditorNode) -> In | None:
    """Return the input of the SetNode with the name of a GetNode, here or in a level around."""
    for where in level.outwards():
        for other in where.graph.nodes.values():
            if other.type == SENDING and other.inputs and other.first_value == node.first_value:
                return In(where, other, 0)
    return None


def _bypass(node: EditorNode, slot: int, wanted: str) -> int | None:
    """Return the input that takes an output's place, chosen as the editor chooses."""
    kinds = [socket.type for socket in node.inputs]
    given = node.outputs[slot] if 0 <= slot < len(node.outputs) else "*"
    if wanted == "*" and kinds:
        return slot if slot < len(kinds) else 0
    fitting = [at for at, kind in enumerate(kinds) if _fits(kind, given) and _fits(kind, wanted)]
    exact = [at for at, kind in enumerate(kinds) if kind == wanted]
    return slot if slot in fitting else next(iter([*exact, *fitting]), None)


def _fits(one: str, other: str) -> bool:
    return "*" in {one, other} or bool(set(one.lower().split(",")) & set(other.lower().split(",")))
