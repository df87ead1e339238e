"""Bad links and bad values are found before anything is sent, and named by node and input."""

import copy
import json
import sys
from pathlib import Path

import pytest

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate

DATA = Path(__file__).parent.parent / "data" / "graph"
CATALOGUE = shipped_catalogue()
GOOD = json.loads((DATA / "accepted" / "sd15.json").read_text(encoding="utf-8"))["graph"]


def changed(node, name, value):
    graph = copy.deepcopy(GOOD)
    graph[node]["inputs"][name] = value
    return graph


def without(node, name):
    graph = copy.deepcopy(GOOD)
    del graph[node]["inputs"][name]
    return graph


def chain(length, *, closed=False):
    def scale(source):
        inputs = {
            "image": [source, 0],
            "upscale_method": "area",
            "width": 64,
            "height": 64,
            "crop": "disabled",
        }
        return {"class_type": "ImageScale", "inputs": inputs}

    first = {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}}
    last = {"class_type": "SaveImage", "inputs": {"images": [str(length - 1), 0], "filename_prefix": "x"}}
    graph = {str(at): scale(str(at - 1)) for at in range(1, length)}
    return {"save": last, **graph, "0": scale(str(length - 1)) if closed else first}


def test_a_graph_that_a_server_accepted_is_good():
    check_links(GOOD, CATALOGUE)

    assert validate(GOOD, CATALOGUE) == ()


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (changed("5", "model", ["99", 0]), "'model' of node '5' (KSampler) links to node '99', which"),
        (changed("5", "model", ["1", 7]), "which has these slots: 0 MODEL, 1 CLIP, 2 VAE"),
        (changed("5", "model", ["1", -1]), "links to slot -1"),
        (changed("5", "model", ["1", 1]), "needs MODEL, but node '1' (CheckpointLoaderSimple) gives CLIP"),
        (changed("5", "model", [1, 0]), "which is no link"),
        (changed("5", "model", ["1", 0, 0]), "which is no link"),
        (changed("5", "model", ["1", True]), "which is no link"),
        (changed("5", "model", []), "which is no link"),
        (
            changed("1", "ckpt_name", ["6", 0]),
            "in a circle among: node '1' (CheckpointLoaderSimple), node '6' (VAEDecode).",
        ),
        (changed("6", "samples", ["6", 0]), "needs LATENT"),
        ({}, "The graph is empty"),
        ({"1": GOOD["1"]}, "no output node. Add a SaveImage"),
    ],
)
def test_a_bad_link_is_named(graph, words):
    with pytest.raises(BadWorkflow) as caught:
        check_links(graph, CATALOGUE)

    assert words in str(caught.value)


def test_only_the_nodes_of_a_circle_are_named_and_in_its_direction():
    def invert(source):
        return {"class_type": "ImageInvert", "inputs": {"image": [source, 0]}}

    save = {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}}
    behind = {"4": invert("1"), "5": save}
    with pytest.raises(BadWorkflow) as caught:
        check_links({**behind, "1": invert("3"), "2": invert("1"), "3": invert("2")}, CATALOGUE)
    with pytest.raises(BadWorkflow, match=r"node '5' \(ImageScale\) and 35 more"):
        check_links(chain(40, closed=True), CATALOGUE)

    named = "node '1' (ImageInvert), node '2' (ImageInvert), node '3' (ImageInvert)"
    assert str(caught.value) == f"The links go round in a circle among: {named}."


def test_a_link_into_the_branch_of_a_choice_is_checked_by_the_branch():
    branch = {"key": "on", "inputs": {"required": {"image": ["IMAGE", {}]}}}
    mode = ["COMFY_DYNAMICCOMBO_V3", {"options": [branch, {"key": "off", "inputs": {}}]}]
    raw = {"Blend": {"input": {"required": {"mode": mode}}, "output": ["IMAGE"], "output_node": True}}
    catalogue = CATALOGUE.merged(parse_object_info(raw))
    inputs = {"mode": "on", "mode.image": ["1", 1]}
    graph = {"1": GOOD["1"], "2": {"class_type": "Blend", "inputs": inputs}}

    with pytest.raises(BadWorkflow, match=r"'mode.image' of node '2' \(Blend\) needs IMAGE"):
        check_links(graph, catalogue)
    check_links({**graph, "2": {**graph["2"], "inputs": {**inputs, "mode": "off"}}}, catalogue)


def test_types_and_slots_of_unknown_classes_are_left_to_the_server():
    graph = changed("5", "model", ["20", 9]) | {
        "20": {"class_type": "SomebodysLoader", "inputs": {"x": ["1", 0]}}
    }

    check_links(graph, CATALOGUE)
    check_links({"1": {"class_type": "SomebodysSaver", "inputs": {}}}, CATALOGUE)
    check_links(GOOD, Catalogue())


def test_wildcards_unions_and_choices_fit():
    raw = {
        "Any": {"input": {"required": {"a": ["*"], "b": ["INT,FLOAT"], "c": [["x", "y"]]}}, "output": ["*"]},
        "Give": {"input": {}, "output": ["IMAGE", "FLOAT", "STRING", ["x", "y"]], "output_node": True},
        "Image": {"input": {"required": {"image": ["IMAGE", {}]}}, "output": []},
    }
    catalogue = parse_object_info(raw)
    graph = {
        "1": {"class_type": "Give", "inputs": {}},
        "2": {"class_type": "Any", "inputs": {"a": ["1", 0], "b": ["1", 1], "c": ["1", 3]}},
        "3": {"class_type": "Image", "inputs": {"image": ["2", 0]}},
    }

    check_links(graph, catalogue)

    graph["2"]["inputs"]["b"] = ["1", 2]
    with pytest.raises(BadWorkflow, match=r"needs INT,FLOAT, but node '1' \(Give\) gives STRING"):
        check_links(graph, catalogue)


def test_deep_graphs_are_checked_without_recursion():
    length = 5 * sys.getrecursionlimit()

    check_links(chain(length), CATALOGUE)
    assert validate(chain(length), CATALOGUE) == ()
    with pytest.raises(BadWorkflow, match="circle"):
        check_links(chain(length, closed=True), CATALOGUE)


@pytest.mark.parametrize(
    ("graph", "type_", "name", "words"),
    [
        (changed("5", "steps", 0), "value_smaller_than_min", "steps", "steps=0 is below 1"),
        (changed("5", "steps", 10_001), "value_bigger_than_max", "steps", "above 10000"),
        (changed("5", "seed", 2**64), "value_bigger_than_max", "seed", "seed=18446744073709551616 is above"),
        (changed("5", "seed", -1), "value_smaller_than_min", "seed", "seed=-1 is below 0"),
        (changed("5", "cfg", "much"), "invalid_input_type", "cfg", "cfg='much' is not a number"),
        (changed("5", "cfg", None), "invalid_input_type", "cfg", "cfg=None is not a number"),
        (changed("5", "cfg", {"a": "b" * 99}), "invalid_input_type", "cfg", "..."),
        (changed("5", "sampler_name", "eular"), "value_not_in_list", "sampler_name", "Try euler"),
        (changed("5", "scheduler", "zzzz"), "value_not_in_list", "scheduler", "Try simple, sgm_uniform"),
        (without("5", "latent_image"), "required_input_missing", "latent_image", "missing"),
    ],
)
def test_a_bad_value_is_named(graph, type_, name, words):
    (problem,) = validate(graph, CATALOGUE)

    assert (problem.type, problem.node, problem.class_type, problem.input) == (type_, "5", "KSampler", name)
    assert words in problem.message


@pytest.mark.parametrize("value", ["20", 20.0, True, 2**63])
def test_numbers_are_read_as_comfyui_reads_them(value):
    name = "seed" if value == 2**63 else "steps"

    assert validate(changed("5", name, value), CATALOGUE) == ()


def test_an_unknown_class_names_the_nearest():
    graph = copy.deepcopy(GOOD) | {"20": {"class_type": "KSamplr", "inputs": {}}}
    graph["21"] = {"class_type": "zzzzzzzzz", "inputs": {}}

    nearest, foreign = validate(graph, CATALOGUE)

    assert (nearest.type, nearest.node, nearest.input) == ("missing_node_type", "20", None)
    assert "Did you mean 'KSampler'?" in nearest.message
    assert "custom node pack" in foreign.message


def test_values_of_nodes_that_lead_nowhere_do_not_matter():
    graph = copy.deepcopy(GOOD) | {"20": {"class_type": "EmptyLatentImage", "inputs": {"width": -5}}}

    assert validate(graph, CATALOGUE) == ()


def test_without_a_known_output_every_value_is_checked():
    graph = {"20": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 1, "batch_size": 1}}}

    assert [problem.input for problem in validate(graph, CATALOGUE)] == ["height"]


def test_file_names_are_checked_against_a_servers_catalogue_only():
    raw = {"CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": [["mine.safetensors"], {}]}}}}
    server = CATALOGUE.merged(parse_object_info(raw))

    (problem,) = validate(GOOD, server)

    assert (problem.type, problem.input) == ("value_not_in_list", "ckpt_name")
    assert "mine.safetensors" in problem.message


def test_inputs_that_the_server_unfolds_are_not_asked_for():
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "BatchImagesNode", "inputs": {"images.image0": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
    }

    check_links(graph, CATALOGUE)

    assert validate(graph, CATALOGUE) == ()
