"""Puts LoRAs behind the models of any graph, right after the nodes that load them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.links import is_link
from comfygen_mcp.graph.lora_sources import LoraSource, chosen_sources, lora_sources
from comfygen_mcp.graph.metadata import LoraAnchors
from comfygen_mcp.graph.wiring import Slot
from comfygen_mcp.models import Graph, GraphNode, JsonValue, LoraUse


def with_loras(
    graph: Graph, loras: Sequence[LoraUse], catalogue: Catalogue, anchors: LoraAnchors | None = None
) -> Graph:
    """Return *graph* with a chain of *loras*, in their order, between each model and all that uses it.

    LoRAs that are there already follow the chain. A refiner is left alone, high and low noise get what
    their names say, and all models that are merged get every LoRA once. Raises BadRequest where there is
    no model, or not the stage that a LoRA is meant for.
    """
    if not loras:
        return dict(graph)
    sources = lora_sources(graph, catalogue, anchors)
    if not sources:
        raise BadRequest(
            "This workflow has no model that a LoRA could change: no node gives a MODEL to another. "
            "Leave the LoRAs out, or choose a workflow that samples with a model."
        )
    added: Graph = {}
    ends: dict[Slot, Slot] = {}
    new_ids = _new_ids(graph)
    for use in loras:
        _chain(added, ends, use, (new_ids, chosen_sources(use, sources)))
    return {**{node_id: _rewired(node, ends) for node_id, node in graph.items()}, **added}


def _chain(
    added: Graph, ends: dict[Slot, Slot], use: LoraUse, places: tuple[Iterator[str], Sequence[LoraSource]]
) -> None:
    """Add one LoRA to the end of each chain; a text encoder that models share is patched once."""
    new_ids, sources = places
    patched: set[Slot] = set()
    for source in sources:
        node_id = next(new_ids)
        model, clip = source.model, _clip_for(use, source)
        if clip is None or clip in patched:
            added[node_id] = _model_lora(use, ends.get(model, model))
        else:
            added[node_id] = _lora(use, ends.get(model, model), ends.get(clip, clip))
            ends[clip] = (node_id, 1)
            patched.add(clip)
        ends[model] = (node_id, 0)


def _clip_for(use: LoraUse, source: LoraSource) -> Slot | None:
    return source.clip if source.patched or use.strength_clip is not None else None


def _lora(use: LoraUse, model: Slot, clip: Slot) -> GraphNode:
    strength_clip = use.strength if use.strength_clip is None else use.strength_clip
    inputs = {"model": list(model), "clip": list(clip), "lora_name": use.name}
    strengths = {"strength_model": use.strength, "strength_clip": strength_clip}
    return GraphNode(class_type="LoraLoader", inputs={**inputs, **strengths}, _meta=_title(use))


def _model_lora(use: LoraUse, model: Slot) -> GraphNode:
    inputs = {"model": list(model), "lora_name": use.name, "strength_model": use.strength}
    return GraphNode(class_type="LoraLoaderModelOnly", inputs=inputs, _meta=_title(use))


def _title(use: LoraUse) -> dict[str, JsonValue]:
    return {"title": f"LoRA: {use.name}"}


def _rewired(node: GraphNode, ends: Mapping[Slot, Slot]) -> GraphNode:
    def of(value: JsonValue) -> JsonValue:
        return list(ends.get((value[0], value[1]), value)) if is_link(value) else value

    changed = node.copy()
    changed["inputs"] = {name: of(value) for name, value in node["inputs"].items()}
    return changed


def _new_ids(graph: Graph) -> Iterator[str]:
    return (node_id for number in count(1) if (node_id := f"lora-{number}") not in graph)
