"""Single inputs are set by `node.input`, as the type that their class declares."""

import copy
import math

import pytest
from accepted_graphs import accepted_graphs

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.graph.catalogue import Catalogue, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.overrides import input_at, placed, with_overrides

CATALOGUE = shipped_catalogue()
GRAPH = accepted_graphs()["sd15_txt2img"]
VIDEO = accepted_graphs()["wan22_5b_t2v"]


def overridden(address, value, graph=GRAPH, catalogue=CATALOGUE):
    node_id, _, name = address.rpartition(".")
    return with_overrides(graph, {address: value}, catalogue)[node_id]["inputs"][name]


def test_several_inputs_are_set_in_a_new_graph():
    untouched = copy.deepcopy(GRAPH)

    changed = with_overrides(GRAPH, {"5.steps": 7, "5.cfg": 3, "2.text": "a fox"}, CATALOGUE)

    assert untouched == GRAPH
    assert changed["5"]["inputs"] == {**GRAPH["5"]["inputs"], "steps": 7, "cfg": 3.0}
    assert changed["2"]["inputs"] == {**GRAPH["2"]["inputs"], "text": "a fox"}
    assert changed.keys() == GRAPH.keys()
    assert with_overrides(GRAPH, {}, CATALOGUE) == GRAPH


@pytest.mark.parametrize(
    ("address", "value", "wanted"),
    [
        ("5.steps", "12", 12),
        ("5.steps", 12.0, 12),
        ("5.seed", 2**64 - 1, 2**64 - 1),
        ("5.seed", str(2**64 - 1), 2**64 - 1),
        ("5.cfg", 4, 4.0),
        ("5.cfg", "4.5", 4.5),
        ("5.sampler_name", "dpmpp_2m", "dpmpp_2m"),
        ("1.ckpt_name", "sub\\mine.safetensors", "sub\\mine.safetensors"),
        ("2.text", 1984, "1984"),
        ("2.text", "5.steps", "5.steps"),
        ("5.model", ["1", 0], ["1", 0]),
        ("5.steps", ["4", 0], ["4", 0]),
    ],
)
def test_a_value_becomes_what_the_input_holds(address, value, wanted):
    given = overridden(address, value)

    assert (type(given), given) == (type(wanted), wanted)


@pytest.mark.parametrize(("value", "wanted"), [(True, True), ("true", True), ("False", False)])
def test_a_switch_is_set_by_its_words(value, wanted):
    graph = {"1": {"class_type": "PrimitiveBoolean", "inputs": {"value": True}}}

    assert overridden("1.value", value, graph) is wanted


@pytest.mark.parametrize(
    ("address", "value", "words"),
    [
        ("5.steps", "many", "5.steps='many' does not fit: it takes INT"),
        ("5.steps", 4.5, "it takes INT"),
        ("5.steps", True, "it takes INT"),
        ("5.steps", None, "it takes INT"),
        ("5.steps", [1, 2], "it takes INT"),
        ("5.steps", "9" * 60, "it takes INT"),
        ("5.steps", 0, "the smallest is 1"),
        ("5.steps", 10_001, "the largest is 10000"),
        ("5.seed", 2**64, "the largest is 18446744073709551615"),
        ("5.cfg", math.nan, "give a finite number"),
        ("5.cfg", "nan", "it takes FLOAT"),
        ("5.cfg", 10**400, "it takes FLOAT"),
        ("5.cfg", False, "it takes FLOAT"),
        ("5.sampler_name", "eular", "it is not a choice. Try euler"),
        ("5.scheduler", "zzz", "it is not a choice. Try simple, sgm_uniform"),
        ("1.ckpt_name", {"a": 1}, "it takes COMBO"),
        ("2.text", True, "it takes STRING"),
        ("5.model", "sd.safetensors", 'it takes MODEL from another node: give a link ["node id", slot]'),
        ("5.model", ["55", 0], "there is no node '55'. Did you mean '5'? The graph has the nodes 1, 2"),
        ("5.model", ["zz", 0], "there is no node 'zz'. The graph has the nodes 1, 2"),
        ("5", 1, "'5' names no input of a node. Address an input as 'node.input'"),
        ("", 1, "names no input"),
        ("55.steps", 1, "Unknown node '55'. Did you mean '5'?"),
        ("5.", 1, "Unknown node '5'"),
        ("5.step", 1, "Unknown input 'step'. Did you mean 'steps' or 'seed'?"),
        ("5.class_type", "x", "These are the inputs of node '5' (KSampler)"),
        ("5.steps.x", 1, "Unknown input 'steps.x'"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(address, value, words):
    with pytest.raises(BadRequest) as caught:
        with_overrides(GRAPH, {address: value}, CATALOGUE)

    assert words in str(caught.value)


def test_the_longest_node_id_that_exists_is_meant():
    sampler = GRAPH["5"]
    graph = {**GRAPH, "5.cfg": sampler, "12:5.1": sampler}

    assert with_overrides(graph, {"5.cfg.steps": 3}, CATALOGUE)["5.cfg"]["inputs"]["steps"] == 3
    assert with_overrides(graph, {"12:5.1.steps": 4}, CATALOGUE)["12:5.1"]["inputs"]["steps"] == 4
    assert with_overrides(graph, {"5.cfg": 2.0}, CATALOGUE)["5"]["inputs"]["cfg"] == 2.0
    with pytest.raises(UnknownName, match="Unknown node '12:5'"):
        with_overrides(graph, {"12:5.2.steps": 4}, CATALOGUE)


def test_values_are_placed_as_they_are_and_one_for_no_node_is_left_out():
    changed = placed(GRAPH, {"5.steps": "many", "5.new": [1], "99.x": 1})

    assert changed["5"]["inputs"] == {**GRAPH["5"]["inputs"], "steps": "many", "new": [1]}
    assert {**changed, "5": GRAPH["5"]} == GRAPH
    assert [input_at(address, GRAPH) for address in ("5", ".5", "5.", "55.x")] == [None] * 4


def test_an_input_below_a_choice_below_a_choice_is_checked_as_its_branch_declares():
    chosen = {"16.format": "mp4", "16.format.codec": "h264"}
    video = with_overrides(VIDEO, chosen, CATALOGUE)
    with pytest.raises(BadRequest, match="is not a choice"):
        with_overrides(video, {"16.format.codec.encoding": "nope"}, CATALOGUE)


def test_names_of_inputs_may_hold_dots():
    inputs = with_overrides(VIDEO, {"16.format.codec": "h264", "16.codec.x": 1}, CATALOGUE)["16"]["inputs"]

    assert (inputs["format.codec"], inputs["codec.x"]) == ("h264", 1)
    with pytest.raises(BadRequest, match=r"not a choice\. Try h264"):
        with_overrides(VIDEO, {"16.format.codec": "h265"}, CATALOGUE)


def test_a_linked_value_may_be_replaced_by_a_plain_one():
    graph = copy.deepcopy(GRAPH)
    graph["20"] = {"class_type": "SeedNode", "inputs": {"seed": 5}}
    graph["5"]["inputs"]["seed"] = ["20", 0]

    assert overridden("5.seed", 9, graph) == 9


def test_an_input_that_the_graph_left_out_may_be_set():
    assert overridden("11.start_image", ["14", 0], VIDEO) == ["14", 0]
    with pytest.raises(BadRequest, match="takes IMAGE"):
        with_overrides(VIDEO, {"11.start_image": "a.png"}, CATALOGUE)


def test_of_an_unknown_class_only_what_the_graph_sets_can_be_set():
    assert overridden("5.steps", "12", GRAPH, Catalogue()) == "12"
    assert overridden("5.model", ["4", 0], GRAPH, Catalogue()) == ["4", 0]
    with pytest.raises(BadRequest, match="takes a value from another node"):
        with_overrides(GRAPH, {"5.model": "x"}, Catalogue())
    with pytest.raises(UnknownName, match="Unknown input 'eta'"):
        with_overrides(GRAPH, {"5.eta": 1}, Catalogue())


def test_unions_choices_that_are_numbers_and_data_of_custom_widgets():
    raw = {
        "X": {
            "input": {
                "required": {
                    "number": ["INT,FLOAT", {"min": 0}],
                    "size": [[512, 768]],
                    "any": ["*"],
                    "curve": ["CURVE"],
                    "linked": ["*"],
                }
            }
        }
    }
    inputs = {"number": 1, "size": 512, "any": 1, "curve": {"points": []}, "linked": ["1", 0]}
    graph = {"1": {"class_type": "X", "inputs": inputs}}
    catalogue = parse_object_info(raw)

    assert overridden("1.number", 0.5, graph, catalogue) == 0.5
    assert overridden("1.number", "2", graph, catalogue) == 2
    assert overridden("1.size", "768", graph, catalogue) == 768
    assert overridden("1.any", {"deep": [1]}, graph, catalogue) == {"deep": [1]}
    assert overridden("1.curve", {"points": [1]}, graph, catalogue) == {"points": [1]}
    with pytest.raises(BadRequest, match="Try 512"):
        with_overrides(graph, {"1.size": 5}, catalogue)
    with pytest.raises(BadRequest, match="the smallest is 0"):
        with_overrides(graph, {"1.number": -1}, catalogue)
    with pytest.raises(BadRequest, match="from another node"):
        with_overrides(graph, {"1.linked": 5}, catalogue)
