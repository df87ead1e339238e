"""Nodes whose placeholder stays empty are bypassed as in ComfyUI, and no link is left hanging."""

import copy

import pytest
from accepted_graphs import accepted_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.template import fill, placeholders, substitution_map

CATALOGUE = shipped_catalogue()
ACCEPTED = accepted_graphs()
TEMPLATES = [workflow for workflow in WorkflowLibrary().all() if workflow.metadata.optional]


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def template(name, **changes):
    """Return an accepted graph with single inputs changed, `n5_model`, and nodes added, `n5`."""
    graph = copy.deepcopy(ACCEPTED[name])
    for key, value in changes.items():
        node_id, _, input_name = key.removeprefix("n").partition("_")
        if input_name:
            graph[node_id]["inputs"][input_name] = value
        else:
            graph[node_id] = value
    return graph


def two_images():
    """FLUX.2 edit with a second picture: it is scaled, encoded and referred to by both prompts."""
    return template(
        "flux2_klein_4b_base_edit",
        n20_image="${image}",
        n30=node("LoadImage", image="${image2}"),
        n31=node(
            "ImageScaleToTotalPixels",
            image=["30", 0],
            upscale_method="area",
            megapixels=1.0,
            resolution_steps=1,
        ),
        n33=node("VAEEncode", pixels=["31", 0], vae=["9", 0]),
        n34=node("ReferenceLatent", conditioning=["24", 0], latent=["33", 0]),
        n35=node("ReferenceLatent", conditioning=["25", 0], latent=["33", 0]),
        n12_positive=["34", 0],
        n12_negative=["35", 0],
    )


def test_a_reference_picture_that_is_not_given_takes_its_scaling_and_encoding_along():
    graph = two_images()
    untouched = copy.deepcopy(graph)

    left = without_unused(graph, ["image2"], CATALOGUE)

    assert graph == untouched
    assert graph.keys() - left.keys() == {"30", "31", "33"}
    assert left["34"]["inputs"] == {"conditioning": ["24", 0]}
    assert left["35"]["inputs"] == {"conditioning": ["25", 0]}
    assert {key: left[key] for key in left if key not in {"34", "35"}} == {
        key: graph[key] for key in left if key not in {"34", "35"}
    }
    check_links(left, CATALOGUE)
    assert validate(fill(left, {"image": "a.png"}), CATALOGUE) == ()


def test_with_everything_filled_the_graph_is_as_it_was():
    assert without_unused(two_images(), [], CATALOGUE) == two_images()
    assert without_unused(two_images(), ["mask"], CATALOGUE) == two_images()


def test_an_optional_picture_of_a_text_encoder_is_just_not_linked():
    graph = template(
        "qwen_image_edit_2511",
        n30=node("LoadImage", image="${image2}"),
        n31=node("FluxKontextImageScale", image=["30", 0]),
        n2_image2=["31", 0],
        n3_image2=["31", 0],
    )

    assert without_unused(graph, ["image2"], CATALOGUE) == ACCEPTED["qwen_image_edit_2511"]


def test_a_node_with_an_input_of_the_same_type_hands_that_on():
    graph = template(
        "sd15_txt2img",
        n20=node("LoraLoader", model=["1", 0], clip=["1", 1], lora_name="${lora}", strength_model=1.0),
        n2_clip=["20", 1],
        n3_clip=["20", 1],
        n5_model=["20", 0],
    )

    assert without_unused(graph, ["lora"], CATALOGUE) == ACCEPTED["sd15_txt2img"]


def test_the_first_input_is_the_first_that_the_class_declares_and_that_is_still_fed():
    batch = node("ImageBatch", image2=["20", 0], image1=["1", 0])
    graph = {
        "1": node("LoadImage", image="a.png"),
        "20": node("LoadImage", image="${image2}"),
        "30": node("LoadImage", image="c.png"),
        "2": batch,
        "3": node("ImageBatch", image2=["30", 0], image1=["20", 0]),
        "4": node("ImageBatch", image2=["3", 0], image1=["2", 0]),
        "5": node("SaveImage", images=["4", 0], filename_prefix="x"),
    }

    left = without_unused(graph, ["image2"], CATALOGUE)

    assert left.keys() == {"1", "30", "4", "5"}
    assert left["4"]["inputs"] == {"image2": ["30", 0], "image1": ["1", 0]}


def test_a_mask_that_is_not_given_leaves_an_image_to_image_graph():
    graph = template("sd15_inpaint_separate_mask", n10_image="${mask}")

    left = without_unused(graph, ["mask"], CATALOGUE)

    assert graph.keys() - left.keys() == {"4", "10"}
    assert left["5"]["inputs"]["latent_image"] == ["9", 0]
    check_links(left, CATALOGUE)


def test_a_model_that_only_the_bypassed_node_used_is_not_loaded():
    graph = template(
        "sd15_txt2img",
        n20=node("ControlNetLoader", control_net_name="pose.safetensors"),
        n21=node("LoadImage", image="${pose}"),
        n22=node(
            "ControlNetApplyAdvanced",
            positive=["2", 0],
            negative=["3", 0],
            control_net=["20", 0],
            image=["21", 0],
            strength=1.0,
            start_percent=0.0,
            end_percent=1.0,
        ),
        n5_positive=["22", 0],
        n5_negative=["22", 1],
    )

    left = without_unused(graph, ["pose"], CATALOGUE)

    assert left.keys() == ACCEPTED["sd15_txt2img"].keys()
    assert left == ACCEPTED["sd15_txt2img"]


def test_a_start_picture_that_is_not_given_makes_text_to_video():
    graph = template("wan22_5b_i2v", n20_image="${image}")

    assert without_unused(graph, ["image"], CATALOGUE) == ACCEPTED["wan22_5b_t2v"]


@pytest.mark.parametrize(("chosen", "left"), [("two", {"1", "4"}), ("one", {"1", "3", "4"})])
def test_a_node_goes_when_the_branch_that_was_chosen_needs_what_is_not_given(chosen, left):
    second = {"required": {"image": ["IMAGE", {}]}}
    options = [{"key": "one", "inputs": {"optional": second["required"]}}, {"key": "two", "inputs": second}]
    raw = {
        "Blend": {
            "input": {
                "required": {
                    "base": ["IMAGE", {}],
                    "mode": ["COMFY_DYNAMICCOMBO_V3", {"options": options}],
                }
            },
            "output": ["IMAGE"],
        }
    }
    graph = {
        "1": node("LoadImage", image="a.png"),
        "2": node("LoadImage", image="${image2}"),
        "3": node("Blend", **{"base": ["1", 0], "mode": chosen, "mode.image": ["2", 0]}),
        "4": node("SaveImage", images=["3", 0], filename_prefix="x"),
    }

    made = without_unused(graph, ["image2"], CATALOGUE.merged(parse_object_info(raw)))
    assert made.keys() == left
    assert made["4"]["inputs"]["images"] == (["1", 0] if chosen == "two" else ["3", 0])


def test_inputs_that_the_server_unfolds_may_lose_their_link():
    graph = {
        "1": node("LoadImage", image="a.png"),
        "2": node("LoadImage", image="${image2}"),
        "3": node("BatchImagesNode", **{"images.image0": ["1", 0], "images.image1": ["2", 0]}),
        "4": node("SaveImage", images=["3", 0], filename_prefix="x"),
    }

    left = without_unused(graph, ["image2"], CATALOGUE)

    assert left["3"]["inputs"] == {"images.image0": ["1", 0]}


@pytest.mark.parametrize(
    ("graph", "unused", "words"),
    [
        (template("sd15_img2img", n8_image="${image}"), ["image", "x"], "image, x nothing would reach"),
        (template("sd15_txt2img", n7_filename_prefix="${name}"), ["name"], "output node '7' (SaveImage)"),
    ],
)
def test_a_graph_that_would_save_nothing_any_more_is_refused(graph, unused, words):
    with pytest.raises(BadWorkflow) as caught:
        without_unused(graph, unused, CATALOGUE)

    assert words in str(caught.value)
    assert "_workflow_metadata.optional" in str(caught.value)


def test_an_unknown_class_needs_all_its_inputs_and_is_an_output_where_nobody_uses_it():
    graph = template(
        "sd15_img2img",
        n8_image="a.png",
        n20=node("LoadImage", image="${image2}"),
        n21=node("SomebodysBlend", samples=["4", 0], other=["20", 0]),
        n5_latent_image=["21", 0],
    )
    saver = {**graph, "22": node("SomebodysSaver", image=["20", 0])}

    assert without_unused(graph, ["image2"], CATALOGUE)["5"]["inputs"]["latent_image"] == ["4", 0]
    with pytest.raises(BadWorkflow, match=r"output node '22' \(SomebodysSaver\)"):
        without_unused(saver, ["image2"], CATALOGUE)


def test_what_flows_between_unknown_classes_is_not_guessed():
    graph = {
        "1": node("SomebodysSource"),
        "2": node("SomebodysFilter", a=["1", 0], amount="${amount}"),
        "3": node("SomebodysSaver", b=["2", 0]),
    }

    with pytest.raises(BadWorkflow, match="'3'"):
        without_unused(graph, ["amount"], Catalogue())


def test_a_circle_is_refused():
    graph = template("sd15_txt2img", n1_ckpt_name=["6", 0], n2_text="${text}")

    with pytest.raises(BadWorkflow, match="circle"):
        without_unused(graph, ["text"], CATALOGUE)


@pytest.mark.parametrize("workflow", TEMPLATES, ids=[workflow.name for workflow in TEMPLATES])
def test_every_bundled_workflow_can_do_without_each_of_its_optional_placeholders(workflow):
    defaults = substitution_map(request={}, preset={}, block={}, defaults=workflow.metadata.defaults)
    for unused in ([name] for name in workflow.metadata.optional):
        left = without_unused(workflow.graph, unused, CATALOGUE)
        values = {**dict.fromkeys(placeholders(left), "x"), "seed": 1, "width": 64, "height": 64, **defaults}

        check_links(fill(left, values), CATALOGUE)

        assert not set(unused) & set(placeholders(left))


CUSTOM = parse_object_info(
    {
        "Blend": {
            "input": {"required": {"a": ["IMAGE"]}, "optional": {"b": ["IMAGE"]}},
            "output": ["IMAGE", "MASK"],
        },
        "Mask": {"input": {"required": {"m": ["MASK"]}}, "output": ["MASK"]},
        "Cut": {"input": {"required": {"m": ["MASK"], "a": ["IMAGE"]}}, "output": ["IMAGE"]},
    }
)
KNOWN = CATALOGUE.merged(CUSTOM)


@st.composite
def random_templates(draw):
    graph, slots = {"0": node("LoadImage", image="a.png")}, {"IMAGE": [["0", 0]], "MASK": [["0", 1]]}
    for at in range(1, draw(st.integers(2, 14))):
        class_type = draw(st.sampled_from(["LoadImage", "Unknown", *CUSTOM.nodes]))
        kinds = {"a": "IMAGE", "b": "IMAGE", "m": "MASK"}
        wanted = CUSTOM.get(class_type).inputs if class_type in CUSTOM else {}
        inputs = {name: draw(st.sampled_from(slots[kinds[name]])) for name in wanted}
        if class_type == "Unknown":
            inputs = {"x": draw(st.sampled_from(slots["IMAGE"]))}
        if class_type == "LoadImage" or draw(st.integers(0, 4)) == 0:
            inputs["image"] = draw(st.sampled_from(["a.png", "${image2}"]))
        graph[str(at)] = node(class_type, **inputs)
        for slot, kind in enumerate(KNOWN.get(class_type).outputs if class_type in KNOWN else ("IMAGE",)):
            slots[kind].append([str(at), slot])
    return {
        **graph,
        "save": node("SaveImage", images=draw(st.sampled_from(slots["IMAGE"])), filename_prefix="x"),
    }


@settings(max_examples=300, deadline=None)
@given(graph=random_templates())
def test_whatever_is_left_out_no_link_dangles_and_every_needed_input_is_fed(graph):
    try:
        left = without_unused(graph, ["image2"], KNOWN)
    except BadWorkflow as error:
        assert "output node" in str(error)  # noqa: PT017 -- both outcomes are right
        return

    check_links(left, KNOWN)
    assert "image2" not in placeholders(left)
    assert "save" in left
    for node_id, one in left.items():
        assert one["inputs"].keys() <= graph[node_id]["inputs"].keys()
        spec = KNOWN.get(one["class_type"])
        lost = graph[node_id]["inputs"].keys() - one["inputs"].keys()
        assert spec is not None or not lost
        assert not any(spec.inputs[name].required for name in lost)
