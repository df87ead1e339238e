"""The bundled workflows as test parameters, and their templates filled with plain values."""

import json
from pathlib import Path

import pytest
from accepted_graphs import accepted_graphs

from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.template import fill, substitution_map

WORKFLOWS = WorkflowLibrary().all()
NAMES = [workflow.name for workflow in WORKFLOWS]
INPUTS = ("image", "image2", "image3", "mask")
REQUEST = {
    "prompt": "a red fox in snow",
    "seed": 2**64 - 1,
    **{name: f"comfygen/{name}.png" for name in INPUTS},
}
EACH = pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)

_DATA = Path(__file__).parent / "data" / "graph"


def of_kind(*kinds):
    """Parametrise with the bundled workflows of *kinds*."""
    chosen = [workflow for workflow in WORKFLOWS if workflow.metadata.kind in kinds]
    return pytest.mark.parametrize("workflow", chosen, ids=[workflow.name for workflow in chosen])


def filled(workflow, graph=None, **values):
    """Return *graph*, else that of *workflow*, with the workflow's defaults and *values*."""
    size = {"width": 768, "height": 512} if workflow.metadata.kind == "upscale" else {}
    values = substitution_map(
        request={**REQUEST, **size, **values}, preset={}, block={}, defaults=workflow.metadata.defaults
    )
    return fill(graph or workflow.graph, values)


def origins():
    """Return name → what a real server accepted: its graph, the values it had, node ids there → here."""
    own = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in _DATA.glob("accepted/*.json")}
    written = json.loads((_DATA / "descents.json").read_text(encoding="utf-8"))
    accepted = accepted_graphs()
    descents = {
        name: {**entry, "graph": accepted[entry["parent"]], "server": written["server"]}
        for name, entry in written["workflows"].items()
    }
    return {**own, **descents}


def renamed(graph, ids):
    """Return *graph* with other node ids, in its links too."""

    def of(value):
        return [ids.get(value[0], value[0]), value[1]] if isinstance(value, list) else value

    return {
        ids.get(node_id, node_id): {
            **node,
            "inputs": {name: of(value) for name, value in node["inputs"].items()},
        }
        for node_id, node in graph.items()
    }


def differing_places(ours, theirs):
    """Yield node and input of every difference; input None for a node that one lacks or has otherwise."""
    for node_id in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(node_id), theirs.get(node_id)
        if mine is None or other is None or mine["class_type"] != other["class_type"]:
            yield node_id, None
            continue
        for name in sorted(mine["inputs"].keys() | other["inputs"].keys()):
            a, b = mine["inputs"].get(name), other["inputs"].get(name)
            if (type(a), a) != (type(b), b):
                yield node_id, name
