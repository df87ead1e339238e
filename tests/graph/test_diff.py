"""Differences between two graphs are told input by input."""

import copy
import json

from accepted_graphs import accepted_graphs
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.diff import Change, differences
from comfygen_mcp.graph.lora import with_loras
from comfygen_mcp.models import LoraUse

ACCEPTED = accepted_graphs()
GRAPH = ACCEPTED["sd15_txt2img"]


def test_a_graph_does_not_differ_from_itself_and_titles_do_not_count():
    titled = {node_id: {**node, "_meta": {"title": "x"}} for node_id, node in GRAPH.items()}

    assert all(differences(graph, copy.deepcopy(graph)) == () for graph in ACCEPTED.values())
    assert differences(GRAPH, titled) == ()


def test_every_kind_of_difference_is_told_with_both_values():
    after = copy.deepcopy(GRAPH)
    after["5"]["inputs"].update(steps=7, extra=True)
    del after["5"]["inputs"]["denoise"]
    after["4"]["class_type"] = "EmptySD3LatentImage"
    after["9"] = {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}}
    del after["7"]
    before = GRAPH["7"]["inputs"]

    assert [tuple(change.model_dump().values()) for change in differences(GRAPH, after)] == [
        ("4", "EmptySD3LatentImage", None, "EmptyLatentImage", "EmptySD3LatentImage", "changed"),
        ("5", "KSampler", "steps", 20, 7, "changed"),
        ("5", "KSampler", "denoise", 1.0, None, "removed"),
        ("5", "KSampler", "extra", None, True, "added"),
        ("7", "SaveImage", None, before, None, "removed"),
        ("9", "PreviewImage", None, None, {"images": ["6", 0]}, "added"),
    ]


def test_a_whole_number_differs_from_a_real_one_and_from_true():
    def one(value):
        return {"1": {"class_type": "X", "inputs": {"a": value, "b": {"c": [value], "d": 0}}}}

    for other in (1.0, True):
        assert [change.input for change in differences(one(1), one(other))] == ["a", "b"]


def test_loras_show_as_new_nodes_and_changed_links():
    after = with_loras(GRAPH, [LoraUse(name="fox.safetensors")], shipped_catalogue())

    changes = differences(GRAPH, after)

    assert [(change.node, change.input, change.kind) for change in changes] == [
        ("2", "clip", "changed"),
        ("3", "clip", "changed"),
        ("5", "model", "changed"),
        ("lora-1", None, "added"),
    ]


VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, "a", ["1", 0], {"x": 1}])
SMALL = st.dictionaries(
    st.sampled_from("123"),
    st.fixed_dictionaries(
        {"class_type": st.sampled_from("XY"), "inputs": st.dictionaries(st.sampled_from("abc"), VALUES)}
    ),
)


def applied(graph, changes: tuple[Change, ...]):
    graph = copy.deepcopy(graph)
    for change in changes:
        if change.input is not None:
            inputs = graph[change.node]["inputs"]
            inputs.pop(change.input, None)
            if change.kind != "removed":
                inputs[change.input] = change.after
        elif change.kind == "removed":
            del graph[change.node]
        elif change.kind == "added":
            graph[change.node] = {"class_type": change.class_type, "inputs": change.after}
        else:
            graph[change.node]["class_type"] = change.after
    return graph


@given(before=SMALL, after=SMALL)
def test_the_differences_make_the_second_graph_of_the_first(before, after):
    made = applied(before, differences(before, after))

    assert json.dumps(made, sort_keys=True) == json.dumps(after, sort_keys=True)
