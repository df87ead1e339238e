"""Files of ComfyUI's editor become the graphs that the editor itself would queue."""

import copy
import json
from pathlib import Path

import pytest

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, InputSpec, NodeSpec, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.editor_format import editor_classes, from_editor, is_editor_format

FILES = sorted((Path(__file__).parent.parent / "data" / "graph" / "editor").glob("*.json"))
CASES = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
SINK = {"id": 9, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 9}]}
EMPTY = {"id": 1, "type": "EmptyImage", "outputs": [{"type": "IMAGE"}]}


def editor(*nodes, links=(), **more):
    return {"nodes": list(nodes), "links": list(links), **more}


def converted(*nodes, links=(), **more):
    return from_editor(editor(*nodes, links=links, **more), shipped_catalogue())


def noted(name, spec):
    """Return a catalogue with one class `Odd` that has one input besides a seed."""
    inputs = {"seed": InputSpec("INT", default=0), name: spec}
    return Catalogue({"Odd": NodeSpec("Odd", inputs, ("IMAGE",), output_node=True)})


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_the_editor_becomes_the_graph_that_it_would_queue(name):
    case = CASES[name]
    before = copy.deepcopy(case["editor"])

    graph = from_editor(case["editor"], shipped_catalogue())

    assert graph == case["graph"]
    assert case["editor"] == before
    check_links(graph, shipped_catalogue())
    assert validate(graph, shipped_catalogue()) == ()


def test_the_classes_that_a_file_runs_are_known_before_it_is_converted():
    assert editor_classes(CASES["subgraph"]["editor"]) == {
        *("CheckpointLoaderSimple", "CLIPTextEncode", "KSampler"),
        *("EmptyLatentImage", "VAEDecode", "SaveImage"),
    }


def test_a_graph_that_can_be_queued_is_not_taken_for_a_file_of_the_editor():
    graph = CASES["classic"]["graph"]

    assert not is_editor_format(graph)
    with pytest.raises(BadWorkflow, match=r"no list of nodes.*Export \(API\)"):
        from_editor(graph, shipped_catalogue())


def test_an_unknown_class_is_named_with_the_way_to_export_the_api_format():
    with pytest.raises(BadWorkflow, match=r"node 3 is a 'KSamplr'.*'KSampler'.*Export \(API\)"):
        converted(
            {"id": 3, "type": "KSamplr"}, {**SINK, "inputs": [{"link": 1}]}, links=[[1, 3, 0, 9, 0, "*"]]
        )


def test_muted_and_bypassed_nodes_need_not_be_known():
    strange = {"id": 2, "type": "Strange", "mode": 4, "inputs": [{"name": "a", "type": "IMAGE", "link": 1}]}
    graph = converted(
        EMPTY,
        {**strange, "outputs": [{"type": "IMAGE"}]},
        SINK,
        links=[[1, 1, 0, 2, 0, "IMAGE"], [9, 2, 0, 9, 0, "IMAGE"]],
    )

    assert graph["9"]["inputs"]["images"] == ["1", 0]


@pytest.mark.parametrize(
    ("inputs", "outputs", "slot", "fed"),
    [
        (["MASK", "IMAGE"], ["IMAGE"], 0, "2"),
        (["IMAGE", "IMAGE"], ["MASK", "IMAGE"], 1, "2"),
        (["MASK", "IMAGE,MASK"], ["IMAGE"], 0, "2"),
        (["MASK", "MASK"], ["IMAGE"], 0, None),
        (["*", "MASK"], [], 0, "1"),
    ],
)
def test_a_bypassed_node_passes_on_what_the_editor_would(inputs, outputs, slot, fed):
    sockets = [{"name": str(at), "type": kind, "link": at + 1} for at, kind in enumerate(inputs)]
    bypassed = {"id": 3, "type": "Any", "mode": 4, "inputs": sockets}
    graph = converted(
        EMPTY,
        {**EMPTY, "id": 2},
        {**bypassed, "outputs": [{"type": kind} for kind in outputs]},
        SINK,
        links=[[1, 1, 0, 3, 0, "*"], [2, 2, 0, 3, 1, "*"], [9, 3, slot, 9, 0, "IMAGE"]],
    )

    assert graph["9"]["inputs"].get("images") == (fed and [fed, 0])


def test_an_input_of_any_type_takes_a_bypassed_nodes_input_of_the_same_number():
    preview = {"id": 8, "type": "PreviewAny", "inputs": [{"name": "source", "type": "*", "link": 2}]}
    bypassed = {"id": 3, "type": "Any", "mode": 4, "inputs": [{"name": "a", "type": "MASK", "link": 1}]}
    links = [[1, 1, 0, 3, 0, "*"], [2, 3, 1, 8, 0, "*"]]

    graph = converted(EMPTY, {**bypassed, "outputs": [{"type": "IMAGE"}] * 2}, preview, links=links)
    assert graph["8"]["inputs"] == {"source": ["1", 0]}


def test_a_link_may_lead_through_any_number_of_reroutes():
    many = range(2, 1901)
    reroutes = [
        {"id": at, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": at}]} for at in many
    ]
    links = [[at, at - 1, 0, at, 0, "*"] for at in many]

    sink = {**SINK, "id": 9999, "inputs": [{**SINK["inputs"][0], "link": 9999}]}
    graph = converted(EMPTY, *reroutes, sink, links=[*links, [9999, 1900, 0, 9999, 0, "*"]])
    assert graph["9999"]["inputs"]["images"] == ["1", 0]


def test_links_in_a_circle_of_reroutes_are_told():
    reroutes = [
        {"id": at, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": at}]} for at in (1, 2)
    ]
    links = [[1, 2, 0, 1, 0, "*"], [2, 1, 0, 2, 0, "*"], [9, 1, 0, 9, 0, "*"]]
    with pytest.raises(BadWorkflow, match=r"node '9' \(SaveImage\) go round in a circle"):
        converted(*reroutes, SINK, links=links)


@pytest.mark.parametrize(
    "between",
    [
        {"id": 2, "type": "Reroute", "inputs": []},
        {"id": 2, "type": "Note"},
        {"id": 2, "type": "PrimitiveNode"},
        {"id": 2, "type": "GetNode", "widgets_values": ["nobody"]},
        {"id": 2, "type": "EmptyImage", "mode": 2},
    ],
)
def test_a_link_from_a_box_with_nothing_behind_it_is_no_link(between):
    graph = converted(between, SINK, links=[[9, 2, 0, 9, 0, "IMAGE"]])

    assert graph["9"]["inputs"] == {"filename_prefix": "ComfyUI"}


def test_a_file_in_which_nothing_runs_is_refused():
    with pytest.raises(BadWorkflow, match="no node that runs"):
        converted({"id": 1, "type": "Note"}, {**EMPTY, "mode": 2})


@pytest.mark.parametrize("node", [{"type": "KSampler"}, {"id": 3}, {"id": 3, "type": None}, 7])
def test_a_node_without_id_or_type_is_refused(node):
    with pytest.raises(BadWorkflow, match="no id or no type"):
        converted(node)


def test_odd_entries_of_a_damaged_file_are_passed_over():
    node = {**EMPTY, "mode": "on", "properties": {"proxyWidgets": [["1"]]}, "inputs": [3], "title": 4}
    odd = {"links": [None, [1, 2], {"id": 4}], "definitions": {"subgraphs": None}}

    assert converted(node, SINK, **odd)["9"]["inputs"] == {"filename_prefix": "ComfyUI"}


@pytest.mark.parametrize(
    ("spec", "values", "made"),
    [
        (InputSpec("COMBO", options=("fixed", "free")), [5, "fixed"], {"seed": 5, "it": "fixed"}),
        (InputSpec("COMBO", options=("a", "b")), [5, "fixed", "b"], {"seed": 5, "it": "b"}),
        (InputSpec("COMBO", options=("a", "b")), [5], {"seed": 5, "it": "a"}),
        (InputSpec("COMBO", options=()), [5], {"seed": 5}),
        (InputSpec("STRING"), [5], {"seed": 5, "it": ""}),
        (InputSpec("FLOAT"), [], {"seed": 0, "it": 0.0}),
        (InputSpec("OWN_CURVE"), [5, [[0, 0]]], {"seed": 5, "it": {"__value__": [[0, 0]]}}),
        (InputSpec("OWN_CURVE", required=False), [5, "x"], {"seed": 5}),
        (InputSpec("MODEL"), [5, "x"], {"seed": 5}),
        (InputSpec("STRING", socket=True), [5, "x"], {"seed": 5}),
        (InputSpec("IMAGECOMPARE"), [5], {"seed": 5, "it": ""}),
        (InputSpec("FLOAT,INT"), {"it": 2}, {"seed": 0, "it": 2}),
        (InputSpec("COMBO", options=()), {"seed": 3}, {"seed": 3}),
    ],
)
def test_values_in_order_find_their_inputs(spec, values, made):
    file = editor({"id": 1, "type": "Odd", "widgets_values": values})

    assert from_editor(file, noted("it", spec))["1"]["inputs"] == made


@pytest.mark.parametrize(
    "values", [["deep", "mp4", 3, "lanczos"], {"it": "deep", "it.codec": "mp4", "it.n": 3}]
)
def test_the_fields_of_a_chosen_branch_stand_behind_the_choice(values):
    below = {"codec": InputSpec("COMBO", options=("mp4", "webm")), "n": InputSpec("INT", default=1)}
    dynamic = InputSpec(
        "COMFY_DYNAMICCOMBO_V3", options=("flat", "deep"), branches={"flat": {}, "deep": below}
    )
    catalogue = Catalogue({"Odd": NodeSpec("Odd", {"it": dynamic}, ("IMAGE",), output_node=True)})

    graph = from_editor(editor({"id": 1, "type": "Odd", "widgets_values": values}), catalogue)
    assert graph["1"]["inputs"] == {"it": "deep", "it.codec": "mp4", "it.n": 3}


def box(at, kind, **more):
    return {"id": at, "type": kind, "outputs": [{"type": "IMAGE"}], **more}


def definition(kind, *nodes, links=(), inputs=(), outputs=("IMAGE",)):
    named = {"inputs": [{"name": n} for n in inputs], "outputs": [{"name": n} for n in outputs]}
    return {"id": kind, "nodes": list(nodes), "links": list(links), **named}


def inner_link(number, origin, slot, target, at):
    ends = {"origin_id": origin, "origin_slot": slot, "target_id": target, "target_slot": at}
    return {"id": number, **ends}


def test_a_subgraph_that_holds_itself_is_refused():
    with pytest.raises(BadWorkflow, match=r"subgraph of node '5:6' holds itself"):
        converted(box(5, "A"), definitions={"subgraphs": [definition("A", box(6, "A"))]})


def test_copies_of_copies_of_subgraphs_are_not_followed_without_end():
    doubled = [definition(f"s{n}", box(1, f"s{n + 1}"), box(2, f"s{n + 1}")) for n in range(30)]
    with pytest.raises(BadWorkflow, match="more than 5000 nodes"):
        converted(box(5, "s0"), definitions={"subgraphs": [*doubled, definition("s30")]})


def test_a_value_of_the_box_also_feeds_inner_inputs_that_are_no_fields():
    size = {"name": "width", "type": "INT", "widget": {"name": "width"}, "link": 1}
    shown = {"name": "source", "type": "*", "link": 2}
    inside = definition(
        "A",
        {**EMPTY, "inputs": [size], "widgets_values": [300, 200, 1, 0]},
        {"id": 2, "type": "PreviewAny", "inputs": [shown]},
        links=[inner_link(1, -10, 0, 1, 0), inner_link(2, -10, 0, 2, 0), inner_link(3, 1, 0, -20, 0)],
        inputs=["width"],
    )
    plain = converted(box(5, "A"), definitions={"subgraphs": [inside]})
    set_outside = converted(box(5, "A", widgets_values={"width": 640}), definitions={"subgraphs": [inside]})

    assert plain["5:2"]["inputs"] == {"source": 300}
    assert plain["5:1"]["inputs"]["width"] == 300
    assert set_outside["5:2"]["inputs"] == {"source": 640}
    assert set_outside["5:1"]["inputs"]["width"] == 640


def test_a_box_can_set_inner_fields_by_name():
    inside = definition(
        "A", {**EMPTY, "widgets_values": [300, 200, 1, 0]}, links=[inner_link(3, 1, 0, -20, 0)]
    )
    named = {"properties": {"proxyWidgets": [["1", "height"], ["1", "color"]]}, "widgets_values": [64, None]}
    graph = converted(box(5, "A", **named), definitions={"subgraphs": [inside]})

    assert graph["5:1"]["inputs"] == {"width": 300, "height": 64, "batch_size": 1, "color": 0}


def test_a_box_lists_its_own_inputs_among_the_inner_fields():
    size = {"name": "width", "type": "INT", "widget": {"name": "width"}, "link": 1}
    inside = definition(
        "A",
        {**EMPTY, "inputs": [size], "widgets_values": [300, 200, 1, 0]},
        links=[inner_link(1, -10, 0, 1, 0)],
        inputs=["width"],
    )
    listed = {"proxyWidgets": [["1", "height"], ["-1", "width"]]}
    graph = converted(
        box(5, "A", properties=listed, widgets_values=[96, 480]), definitions={"subgraphs": [inside]}
    )

    assert graph["5:1"]["inputs"] == {"width": 480, "height": 96, "batch_size": 1, "color": 0}


def test_an_output_of_a_box_with_nothing_inside_feeds_nothing():
    links = [[9, 5, 0, 9, 0, "IMAGE"]]
    dangling = [inner_link(1, 77, 0, -20, 0)]
    for inner_links in ([], dangling, [inner_link(1, -10, 4, -20, 0)]):
        inside = definition("A", EMPTY, links=inner_links)
        graph = converted(box(5, "A"), SINK, links=links, definitions={"subgraphs": [inside]})
        assert "images" not in graph["9"]["inputs"]


def test_a_value_shown_by_a_box_in_a_box_is_found():
    field = {"name": "text", "type": "STRING", "widget": {"name": "text"}, "link": 1}
    deep = definition(
        "B",
        {"id": 1, "type": "CLIPTextEncode", "inputs": [field], "widgets_values": ["deep words"]},
        links=[inner_link(1, -10, 0, 1, 0)],
        inputs=["text"],
    )
    shown = {"id": 2, "type": "PreviewAny", "inputs": [{"name": "source", "type": "*", "link": 2}]}
    links = [inner_link(1, -10, 0, 3, 0), inner_link(2, -10, 0, 2, 0)]
    middle = definition("A", shown, box(3, "B", inputs=[field]), links=links, inputs=["words"])
    graph = converted(box(5, "A"), definitions={"subgraphs": [deep, middle]})

    assert graph["5:2"]["inputs"] == {"source": "deep words"}
    assert graph["5:3:1"]["inputs"] == {"text": "deep words"}
