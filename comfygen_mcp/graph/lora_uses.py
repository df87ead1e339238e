"""Reads the LoRAs out of a graph, in the order in which they are chained."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.lora_sources import LoraSource, default_sources, lora_sources
from comfygen_mcp.graph.scalars import real_of, scalar, switched_input, text_of
from comfygen_mcp.graph.wiring import Wire, Wiring, wiring
from comfygen_mcp.models import Graph, LoraUse


class _Place(NamedTuple):
    use: LoraUse
    source: LoraSource


def loras_of(graph: Graph, catalogue: Catalogue) -> tuple[LoraUse, ...]:
    """Return the LoRAs that change the models of *graph*, so that `with_loras` puts them there again.

    One behind several models is one LoRA; its target is told only where the name would not lead there.
    """
    wires = wiring(graph, catalogue)
    sources = lora_sources(graph, catalogue, None)
    active = _active(graph, wires, catalogue)
    groups: dict[tuple[str, float, int], list[_Place]] = {}
    for source in sources:
        counts: dict[tuple[str, float], int] = {}
        first = [wire for wire in wires.given[source.model[0]] if wire.source == source.model]
        for node_id in wires.downstream(first, ("MODEL",)):
            for use in _uses(graph, node_id) if node_id in active else ():
                key = (use.name, use.strength)
                counts[key] = counts.get(key, 0) + 1
                groups.setdefault((*key, counts[key]), []).append(_Place(use, source))
    return tuple(use for places in groups.values() for use in _targeted(places, sources))


def _active(graph: Graph, wires: Wiring, catalogue: Catalogue) -> set[str]:
    """Return the nodes whose model reaches a node that uses it; the unused side of a switch does not."""
    waiting = [node_id for node_id in graph if _ends(graph, node_id, wires, catalogue)]
    found = set(waiting)
    while waiting:
        node_id = waiting.pop()
        new = {wire.source[0] for wire in _let_through(graph, node_id, wires)} - found
        found |= new
        waiting += new
    return found


def _ends(graph: Graph, node_id: str, wires: Wiring, catalogue: Catalogue) -> bool:
    spec = catalogue.get(graph[node_id]["class_type"])
    passes_on = wires.gives(node_id, ("MODEL",)) or (spec is not None and "MODEL" in spec.outputs)
    return bool(wires.takes(node_id, ("MODEL",))) and not passes_on


def _let_through(graph: Graph, node_id: str, wires: Wiring) -> tuple[Wire, ...]:
    chosen = switched_input(graph, node_id)
    models = wires.takes(node_id, ("MODEL",))
    return tuple(wire for wire in models if chosen is None or wire.input == chosen)


def _uses(graph: Graph, node_id: str) -> Iterator[LoraUse]:
    """Yield what a LoRA node applies; nodes of custom packs hold several as `{on, lora, strength}`."""
    name = text_of(scalar(graph, node_id, "lora_name"))
    if name and name != "None":
        strength = _strength(scalar(graph, node_id, "strength_model"))
        clip = real_of(scalar(graph, node_id, "strength_clip"))
        yield LoraUse(name=name, strength=strength, strength_clip=None if clip == strength else clip)
    for value in graph[node_id]["inputs"].values():
        if isinstance(value, dict):
            entry = cast("dict[str, Any]", value)
            if entry.get("on") is True and (name := text_of(entry.get("lora"))):
                yield LoraUse(name=name, strength=_strength(entry.get("strength")))


def _strength(value: object) -> float:
    strength = real_of(value)
    return 1.0 if strength is None else strength


def _targeted(places: Sequence[_Place], sources: Sequence[LoraSource]) -> Iterator[LoraUse]:
    """Yield one LoRA where its name leads to exactly these sources, else one for each stage."""
    clips = (place.use.strength_clip for place in places)
    use = places[0].use.model_copy(
        update={"strength_clip": next((clip for clip in clips if clip is not None), None)}
    )
    used = {place.source.model for place in places}
    if used == {source.model for source in default_sources(use.name, sources)}:
        yield use
        return
    for stage in dict.fromkeys(place.source.stage for place in places):
        yield use.model_copy(update={"target": stage})
