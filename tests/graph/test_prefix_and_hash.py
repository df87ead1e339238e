"""Saving nodes get names of their own, and a graph is known by its hash."""

import copy

import pytest

from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.hash import graph_sha256
from comfygen_mcp.graph.prefix import with_filename_prefix

GRAPH = {
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "same"}},
    "57:3": {"class_type": "SaveVideo", "inputs": {"video": ["8", 0]}, "_meta": {"title": "Save"}},
    "10": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
    "11": {"class_type": "SomebodysSaver", "inputs": {"filename_prefix": ["8", 0]}},
}


def test_every_saving_node_gets_a_prefix_of_its_own_and_nothing_else_changes():
    before = copy.deepcopy(GRAPH)

    made = with_filename_prefix(GRAPH, "comfygen/job/out", shipped_catalogue())

    prefixes = {node_id: node["inputs"].get("filename_prefix") for node_id, node in made.items()}
    assert prefixes == {
        "8": None,
        "9": "comfygen/job/out",
        "57:3": "comfygen/job/out-2",
        "10": None,
        "11": "comfygen/job/out-3",
    }
    assert made["57:3"] == {
        "class_type": "SaveVideo",
        "inputs": {"video": ["8", 0], "filename_prefix": "comfygen/job/out-2"},
        "_meta": {"title": "Save"},
    }
    assert before == GRAPH


def test_the_hash_is_the_same_in_every_order():
    turned = {
        node_id: {**node, "inputs": dict(reversed(node["inputs"].items()))}
        for node_id, node in reversed(GRAPH.items())
    }

    assert graph_sha256(turned) == graph_sha256(GRAPH)
    assert graph_sha256({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("value", [1, 1.0, True, "1", None, 2**64 - 1, 2**64 - 2, "\ud800", "\U0001f98a"])
def test_the_hash_tells_values_and_types_apart(value):
    others = [1, 1.0, True, "1", None, 2**64 - 1, 2**64 - 2, "\ud800", "\U0001f98a"]

    def hash_of(inner):
        return graph_sha256({"1": {"class_type": "X", "inputs": {"a": inner}}})

    assert [hash_of(other) == hash_of(value) for other in others].count(True) == 1
