"""Graphs that a real ComfyUI accepted, and the bundled workflows filled with their defaults."""

import json
from pathlib import Path

from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.template import fill, placeholders, substitution_map

_FILE = Path(__file__).parent / "data" / "graph" / "accepted_graphs.json"
_REQUEST = {
    "prompt": "a red fox in snow",
    "negative": "blurry",
    "seed": 2**64 - 1,
    "image": "comfygen/image.png",
    "image2": "comfygen/image2.png",
    "image3": "comfygen/image3.png",
    "mask": "comfygen/mask.png",
    "width": 768,
    "height": 512,
}


def accepted_graphs():
    """Return name → graph of the graphs that ComfyUI 0.33.0 accepted."""
    written = json.loads(_FILE.read_text(encoding="utf-8"))["graphs"]
    return {
        name: {
            node_id: {"class_type": class_type, "inputs": inputs}
            for node_id, (class_type, inputs) in nodes.items()
        }
        for name, nodes in written.items()
    }


def bundled_graphs(catalogue):
    """Return name → graph of every bundled workflow, filled; what nothing fills is left out."""
    return {workflow.name: _filled(workflow, catalogue) for workflow in WorkflowLibrary().all()}


def _filled(workflow, catalogue):
    values = substitution_map(request=_REQUEST, preset={}, block={}, defaults=workflow.metadata.defaults)
    unused = [name for name in placeholders(workflow.graph) if name not in values]
    return fill(without_unused(workflow.graph, unused, catalogue), values)
