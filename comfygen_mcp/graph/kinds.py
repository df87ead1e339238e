"""What kind of task a template can be chosen for, by the placeholders that it has."""

from collections.abc import Mapping

from comfygen_mcp.graph.metadata import WorkflowMetadata
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Graph, Kind

_PICTURES = frozenset({"image", "image2", "image3", "mask"})
_NEEDS: Mapping[Kind, frozenset[str]] = {
    "txt2img": frozenset({"prompt"}),
    "txt2video": frozenset({"prompt"}),
    "edit": frozenset({"prompt", "image"}),
    "other": frozenset(),
}
_NEEDS_OF_OTHERS = frozenset({"image"})
"""What every other kind makes something of."""
_GIVEN: Mapping[Kind, frozenset[str]] = {
    "txt2img": frozenset(),
    "txt2video": frozenset(),
    "inpaint": frozenset({"image", "mask"}),
    "other": _PICTURES,
}


def with_kind(metadata: WorkflowMetadata, graph: Graph) -> WorkflowMetadata:
    """Return *metadata* with a kind: where the file names none, text to image if *graph* takes a prompt."""
    if "kind" in metadata.model_fields_set or "prompt" in placeholders(graph):
        return metadata
    return metadata.model_copy(update={"kind": "other"})


def answers(kind: Kind, metadata: WorkflowMetadata, graph: Graph) -> bool:
    """Tell whether *graph* uses what every request of *kind* brings, and needs no picture besides."""
    has = placeholders(graph)
    wanted = _PICTURES.intersection(has) - set(metadata.optional)
    return _NEEDS.get(kind, _NEEDS_OF_OTHERS) <= has.keys() and wanted <= _GIVEN.get(
        kind, frozenset({"image"})
    )
