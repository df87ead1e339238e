"""Finds the texts that a sampler works with, behind all that is done to their conditioning."""

from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.scalars import scalar, switched_input, text_of
from comfygen_mcp.graph.wiring import Wire, Wiring, in_declared_order
from comfygen_mcp.models import Graph

_TEXTS = ("text", "prompt", "user_prompt", "t5xxl", "text_g", "clip_l", "text_l", "clip_g")
"""Inputs that hold the prompt, the longest version of it first."""

_ERASERS = frozenset({"ConditioningZeroOut"})
"""Classes that leave nothing of a text."""


def prompts_of(
    graph: Graph, sampler: str, wires: Wiring, catalogue: Catalogue
) -> tuple[str | None, str | None]:
    """Return the prompt and the negative prompt of a sampler; None where there is none."""
    guiders = [wire.source[0] for wire in wires.takes(sampler, ("GUIDER",))]
    taken = [wire for node_id in (sampler, *guiders) for wire in wires.takes(node_id, ("CONDITIONING",))]
    negative = next((wire for wire in taken if wire.input == "negative"), None)
    positive = next((wire for wire in taken if wire.input == "positive"), None)
    first = positive or next((wire for wire in taken if wire is not negative), None)
    return (
        _text_behind(graph, first, wires, catalogue),
        _text_behind(graph, negative, wires, catalogue),
    )


def _text_behind(graph: Graph, wire: Wire | None, wires: Wiring, catalogue: Catalogue) -> str | None:
    seen: set[str] = set()
    while wire is not None and wire.source[0] not in seen:
        node_id = wire.source[0]
        seen.add(node_id)
        if graph[node_id]["class_type"] in _ERASERS:
            return None
        if wires.takes(node_id, ("CLIP",)):
            return _text(graph, node_id, catalogue)
        wire = _before(graph, wire, wires, catalogue)
    return None


def _text(graph: Graph, node_id: str, catalogue: Catalogue) -> str | None:
    """Return the first text of a text encoder that is not empty."""
    spec = catalogue.get(graph[node_id]["class_type"])
    declared = [name for name, wanted in spec.inputs.items() if "STRING" in wanted.types] if spec else []
    texts = [text_of(scalar(graph, node_id, name)) for name in (*_TEXTS, *declared)]
    given = [text for text in texts if text is not None]
    return next(filter(None, given), "" if given else None)


def _before(graph: Graph, wire: Wire, wires: Wiring, catalogue: Catalogue) -> Wire | None:
    """Step over a node that changes conditioning: its second output comes from its second input."""
    node_id, slot = wire.source
    taken = wires.takes(node_id, ("CONDITIONING",))
    if chosen := switched_input(graph, node_id):
        return next((before for before in taken if before.input == chosen), None)
    spec = catalogue.get(graph[node_id]["class_type"])
    outputs = spec.outputs if spec else ()
    given = [at for at, kind in enumerate(outputs) if kind == "CONDITIONING"]
    at = given.index(slot) if slot in given and len(given) > 1 else 0
    ordered = in_declared_order(taken, spec)
    return ordered[at] if at < len(ordered) else None
