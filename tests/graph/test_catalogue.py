"""Node classes are read from both wire forms, and from the file that is shipped."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.graph.catalogue import Catalogue, InputSpec, NodeSpec, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.catalogue_file import catalogue_of, compact_text

ROOT = Path(__file__).parent.parent.parent
OBJECT_INFO = json.loads((ROOT / "tests/data/graph/object_info.json").read_text(encoding="utf-8"))


def test_the_older_form_of_choices_is_understood():
    sampler = parse_object_info(OBJECT_INFO).get("KSampler")

    assert sampler.inputs["sampler_name"].type == "COMBO"
    assert sampler.inputs["sampler_name"].options == ("euler", "dpmpp_2m")
    assert sampler.inputs["seed"] == InputSpec("INT", default=0, minimum=0, maximum=2**64 - 1)
    assert sampler.inputs["model"] == InputSpec("MODEL")
    assert (sampler.outputs, sampler.output_node) == (("LATENT",), False)


def test_the_newer_form_of_choices_and_dynamic_choices_are_understood():
    catalogue = parse_object_info(OBJECT_INFO)

    assert catalogue.get("RescaleAll").inputs["method"] == InputSpec(
        "COMBO", default="area", options=("area", "lanczos")
    )
    assert catalogue.get("SaveVideo").inputs["format"].options == ("auto", "mp4")
    assert catalogue.get("SaveVideo").inputs["format"].open
    assert catalogue.get("SaveVideo").output_node


def test_unions_optional_inputs_and_choices_as_outputs_are_understood():
    node = parse_object_info(OBJECT_INFO).get("RescaleAll")

    assert node.inputs["factor"].types == {"INT", "FLOAT"}
    assert not node.inputs["mask"].required
    assert node.outputs == ("IMAGE", "COMBO", "*")


@pytest.mark.parametrize(
    "surprise",
    [
        {"input": None},
        {"input": {"required": {"a": None, "b": [], "c": "INT", "d": [None], "e": ["INT", None], "f": [{}]}}},
        {"input": {"required": []}, "output": "IMAGE"},
        {"output": [None, 3]},
    ],
)
def test_custom_nodes_with_surprises_do_not_hide_the_others(surprise):
    catalogue = parse_object_info({"Odd": surprise, "Bad": 3, **OBJECT_INFO})

    assert "KSampler" in catalogue
    assert "Odd" in catalogue
    assert "Bad" not in catalogue
    assert all(spec.type in {"*", "INT"} for spec in catalogue.get("Odd").inputs.values())


@pytest.mark.parametrize("reply", [[], None, "text", 3])
def test_a_reply_of_another_kind_is_no_catalogue(reply):
    with pytest.raises(UnexpectedReply, match="/object_info"):
        parse_object_info(reply)


def test_the_shipped_catalogue_holds_the_core_classes():
    catalogue = shipped_catalogue()

    assert len(catalogue) == 633
    assert catalogue.get("KSampler").inputs["seed"].maximum == 2**64 - 1
    assert "res_multistep" in catalogue.get("KSampler").inputs["sampler_name"].options
    assert catalogue.get("EmptyFlux2LatentImage").outputs == ("LATENT",)
    assert catalogue.get("LoadImage").outputs == ("IMAGE", "MASK")
    assert catalogue.get("SaveImage").output_node
    assert not catalogue.get("CLIPLoader").inputs["device"].required
    assert shipped_catalogue() is catalogue


def test_the_shipped_catalogue_names_no_files():
    specs = [spec for node in shipped_catalogue() for spec in node.inputs.values()]
    choices = [str(option) for spec in specs for option in spec.options or ()]

    assert choices
    assert not [choice for choice in choices if choice.endswith((".safetensors", ".png", ".ckpt"))]


def test_a_catalogue_survives_its_compact_form_except_for_files():
    catalogue = parse_object_info(OBJECT_INFO)

    again = catalogue_of(json.loads(compact_text(catalogue)))

    loader = again.nodes["CheckpointLoaderSimple"].inputs["ckpt_name"]
    assert loader == InputSpec("COMBO", options=())
    others = {name: node for name, node in catalogue.nodes.items() if name != "CheckpointLoaderSimple"}
    assert {name: again.nodes[name] for name in others} == others


def test_the_script_writes_the_compact_form_of_a_servers_reply():
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "make-catalogue"],
        input=json.dumps(OBJECT_INFO),
        capture_output=True,
        text=True,
        check=True,
    )

    assert made.stdout == compact_text(parse_object_info(OBJECT_INFO))


def test_of_two_catalogues_the_newer_wins():
    old = Catalogue({"A": NodeSpec("A", {}), "B": NodeSpec("B", {})})
    new = Catalogue({"B": NodeSpec("B", {}, output_node=True)})

    merged = old.merged(new)

    assert [spec.class_type for spec in merged] == ["A", "B"]
    assert merged.get("B").output_node


@pytest.mark.parametrize(
    ("options", "value", "allowed"),
    [
        ((), "anything.safetensors", True),
        (None, "x", True),
        (("a", "b"), "a", True),
        (("a", "b"), "c", False),
        (("pixel_space",), "ae.safetensors", True),
        (("pixel_space", "ae.safetensors"), "other.safetensors", False),
    ],
)
def test_a_file_is_refused_only_by_a_list_that_has_files(options, value, allowed):
    assert InputSpec("COMBO", options=options).allows(value) is allowed


def test_a_list_that_a_server_gave_is_all_there_is_even_when_it_is_empty():
    nothing = {
        "UNETLoader": {"input": {"required": {"unet_name": [[], {}], "other": ["COMBO", {"remote": {}}]}}}
    }
    loader = parse_object_info(nothing).get("UNETLoader")

    assert not loader.inputs["unet_name"].allows("flux1-dev.safetensors")
    assert loader.inputs["other"].allows("anything")
    assert InputSpec("COMBO", options=()).allows("flux1-dev.safetensors")


def test_uploads_sockets_and_branches_are_understood_and_survive_the_compact_form():
    below = {
        "required": {"codec": ["COMBO", {"options": ["auto", "h264"]}]},
        "optional": {"crf": ["INT", {}]},
    }
    choices = [
        {"key": "auto", "inputs": {"required": {}}},
        {"key": "mp4", "inputs": below},
        {"inputs": below},
    ]
    inputs = {
        "image": [["a.png"], {"image_upload": True}],
        "words": ["STRING", {"forceInput": True}],
        "format": ["COMFY_DYNAMICCOMBO_V3", {"options": choices}],
    }
    catalogue = parse_object_info({"Odd": {"input": {"required": inputs}}})
    again = catalogue_of(json.loads(compact_text(catalogue)))

    specs = catalogue.get("Odd").inputs
    assert specs["image"].upload
    assert specs["image"].allows("comfygen/0a1b.png")
    assert not specs["image"].allows(7)
    assert specs["words"].socket
    assert specs["format"].branches == {
        "auto": {},
        "mp4": {
            "codec": InputSpec("COMBO", options=("auto", "h264")),
            "crf": InputSpec("INT", required=False),
        },
    }
    assert again.get("Odd").inputs["format"] == specs["format"]
    assert again.get("Odd").inputs["words"] == specs["words"]
    assert again.get("Odd").inputs["image"].upload


def test_the_shipped_catalogue_knows_uploads_and_what_a_choice_brings_along():
    catalogue = shipped_catalogue()

    assert catalogue.get("LoadImage").inputs["image"].upload
    assert catalogue.get("LoadImageMask").inputs["image"].upload
    assert not catalogue.get("LoadImageMask").inputs["channel"].upload
    assert "codec" in catalogue.get("SaveVideo").inputs["format"].branches["mp4"]
