"""Captured refusals of a real server, and those of 0.3.64, read into errors."""

import pytest
from replay_server import transcript

from comfygen_mcp.comfyui.refusal import refusal
from comfygen_mcp.comfyui.rejection import read_rejection
from comfygen_mcp.errors import GraphRejected, MissingModel
from comfygen_mcp.graph.files import files_of, folder_of, requirement
from comfygen_mcp.models import RequiredFile

REFUSALS = transcript("refusals")


def told(name, *, installed=None, choices=None, requires=()):
    case = REFUSALS[name]
    rejection = read_rejection(case["status"], case["response"], case["graph"])
    return refusal(rejection, installed=installed or {}, choices=choices or {}, requires=requires)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "err_steps_too_small",
            "node 3, KSampler, input steps = 0: Value 0 smaller than min of 1; valid: 1 to 10000",
        ),
        ("err_steps_too_big", "Value 100000 bigger than max of 10000; valid: 1 to 10000"),
        ("err_seed_2_64", "input seed = 18446744073709551616"),
        ("err_seed_negative", "valid: 0 to 18446744073709551615"),
        ("err_missing_required_input", "node 3, KSampler, input seed: Required input is missing"),
        ("err_width_not_number", "node 5, EmptyLatentImage, input width = 'abc'"),
        ("err_unknown_class", "Node 'NoSuchNode' not found"),
        ("err_unknown_class", "Install the custom node on the server"),
        ("err_missing_class_type", "has no class_type"),
        ("err_no_outputs", "None of its 6 nodes saves or shows a result: add a SaveImage node"),
        ("err_empty_prompt", "Prompt has no outputs"),
        ("err_no_prompt_key", "No prompt provided"),
        ("err_bad_prompt_id_str", "prompt_id must be a valid UUID"),
        ("err_cycle", "8 (VAEDecode) -> 3 (KSampler) -> 5 (VAEEncode) -> 8 (VAEDecode)"),
        ("err_link_bad_slot", "tuple index out of range"),
        ("err_link_type_mismatch", "received_type(CLIP) mismatch input_type(MODEL)"),
        ("err_link_len3", "must be a length-2 list"),
        ("err_loadimage_missing_file", "image - Invalid image file: nofile.png"),
        ("err_inputs_missing", "node 9, SaveImage"),
        ("err_invalid_json", "HTTP 500: 500 Internal Server Error"),
        ("err_prompt_is_null", "the server failed inside while it looked at the graph (HTTP 500: "),
        ("err_prompt_is_null", "Its log says why"),
        ("too_big", "Maximum request body size 104857600 exceeded."),
        ("too_big", "--max-upload-size"),
        ("partial_one_output_bad_200", "node 3, SaveImage, input images: Required input is missing"),
        ("partial_one_output_bad_200", "part of its outputs cannot run"),
    ],
)
def test_a_refusal_names_node_input_value_and_what_is_valid(name, words):
    error = told(name)

    assert type(error) is GraphRejected
    assert words in str(error)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_no_refusal_shows_a_traceback_or_a_server_path(name):
    text = str(told(name))

    assert text.strip()
    assert "/srv/" not in text
    assert "File " not in text


def test_a_missing_checkpoint_tells_folder_nearest_files_download_and_documentation():
    requires = (RequiredFile(file="nope.safetensors", folder="checkpoints", url="https://example.org/nope"),)
    error = told(
        "err_ckpt_not_in_list",
        installed={"checkpoints": ("nope-v2.safetensors", "other.ckpt")},
        requires=requires,
    )

    assert type(error) is MissingModel
    assert str(error) == (
        "Model 'nope.safetensors' is not in the server's models/checkpoints/ "
        "(node 4, CheckpointLoaderSimple, input ckpt_name). Nearest installed: nope-v2.safetensors. "
        "Download it from https://example.org/nope into models/checkpoints/.\n"
        "See docs/models.md for what each model needs."
    )


def test_a_model_that_was_installed_meanwhile_is_said_to_be_there():
    error = told("err_lora_not_in_list", installed={"loras": ("nope.safetensors",)})

    assert "is not in the server's models/loras/" in str(error)
    assert "has been installed meanwhile: submit again" in str(error)


def test_a_name_unlike_any_installed_one_is_told_with_some_that_are_there():
    error = told("err_lora_not_in_list", installed={"loras": ("zzz.safetensors",)})
    many = told("err_lora_not_in_list", installed={"loras": [f"zz{at}.pt" for at in range(10)]})

    assert str(error).startswith(
        "Model 'nope.safetensors' is not in the server's models/loras/ (node 20, LoraLoader"
    )
    assert "Nearest" not in str(error)
    assert "Installed there: zzz.safetensors." in str(error)
    assert "zz7.pt and 2 more." in str(many)
    assert "Nothing is installed" not in str(error)


def test_a_file_of_the_same_name_in_a_subfolder_is_the_nearest():
    error = told("err_lora_not_in_list", installed={"loras": ("other.pt", "sub\\nope.ckpt", "nope")})

    assert "Nearest installed: sub\\nope.ckpt, nope." in str(error)


def test_an_empty_folder_is_called_empty():
    assert "Nothing is installed in that folder." in str(told("err_unet_not_in_list"))


def test_all_problems_come_together_and_long_lists_are_asked_for():
    error = told("err_multi", choices={("KSampler", "sampler_name"): [f"s{n}" for n in range(30)]})

    assert isinstance(error, MissingModel)
    assert "models/checkpoints/" in str(error)
    assert "input steps = 0" in str(error)
    assert "input sampler_name = 'nope': Value not in list; valid: s0, s1" in str(error)
    assert "and 10 more" in str(error)


def test_a_wrong_sampler_is_offered_the_nearest_one():
    choices = {("KSampler", "sampler_name"): ["euler", "note", "uni_pc"]}

    assert "did you mean note?" in str(told("err_sampler_not_in_list", choices=choices))


def test_the_shapes_of_0_3_64_are_read():
    old = {
        "error": {
            "type": "invalid_prompt",
            "message": "Cannot execute because node NoSuchNode does not exist.",
            "details": "Node ID '#3'",
            "extra_info": {},
        },
        "node_errors": [],
    }
    rejection = read_rejection(400, old, {})

    assert "node NoSuchNode does not exist. (Node ID '#3'). Install the custom node" in rejection.summary


def test_an_accepted_graph_is_no_rejection_and_an_error_with_200_is():
    assert read_rejection(200, {"prompt_id": "x", "number": 1, "node_errors": {}}, {}) is None
    assert read_rejection(200, {"error": "no"}, {}).summary == "no"
    assert read_rejection(400, {"error": {}, "node_errors": {}}, {}).summary == "HTTP 400"


def test_short_lists_in_the_reply_are_the_choices_and_titles_are_told():
    reply = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "failed", "details": ""},
        "node_errors": {
            "5": {
                "class_type": "Pick",
                "errors": [
                    {
                        "type": "value_not_in_list",
                        "message": "Value not in list",
                        "details": "mode: 'x' not in ['soft', 'hard']",
                        "extra_info": {"input_name": "mode", "input_config": [["soft", "hard"], {}]},
                    }
                ],
            }
        },
    }
    graph = {"5": {"class_type": "Pick", "inputs": {"mode": "hart"}, "_meta": {"title": "Edge"}}}
    error = refusal(read_rejection(400, reply, graph), installed={}, choices={})

    assert "node 5, Pick 'Edge', input mode = 'hart': Value not in list; did you mean hard?" in str(error)


@pytest.mark.parametrize(
    ("class_type", "input_name", "folder"),
    [
        ("UNETLoader", "unet_name", "diffusion_models"),
        ("CheckpointLoaderSimple", "ckpt_name", "checkpoints"),
        ("LoraLoaderModelOnly", "lora_name", "loras"),
        ("VAELoader", "vae_name", "vae"),
        ("CLIPLoader", "clip_name", "text_encoders"),
        ("DualCLIPLoader", "clip_name2", "text_encoders"),
        ("CLIPVisionLoader", "clip_name", "clip_vision"),
        ("ControlNetLoader", "control_net_name", "controlnet"),
        ("UpscaleModelLoader", "model_name", "upscale_models"),
        ("CLIPLoader", "type", None),
        ("KSampler", "sampler_name", None),
    ],
)
def test_each_loader_input_has_its_folder(class_type, input_name, folder):
    assert folder_of(class_type, input_name) == folder


def test_a_required_file_is_found_below_any_subfolder():
    entry = RequiredFile(file="a.safetensors", folder="loras")

    assert requirement("sub\\dir\\a.safetensors", [entry]) is entry
    assert requirement("b.safetensors", [entry]) is None


def test_of_two_files_with_one_name_the_one_of_the_folder_is_meant():
    entries = [
        RequiredFile(file="model.safetensors", folder="vae"),
        RequiredFile(file="sub/model.safetensors", folder="loras"),
        RequiredFile(file="model.safetensors", folder="checkpoints"),
    ]

    assert requirement("model.safetensors", entries, folder="checkpoints") is entries[2]
    assert requirement("sub\\model.safetensors", entries, folder="vae") is entries[1]


def test_a_graphs_files_know_their_loader_and_believe_requires():
    graph = {
        "1": {"class_type": "CLIPVisionLoader", "inputs": {"clip_name": "vision.safetensors"}},
        "2": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "l.sft", "clip_name2": "sub\\t5.sft"}},
        "3": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "x4.pth"}},
        "4": {"class_type": "VAEDecode", "inputs": {"vae": ["9", 0], "samples": ["3", 0]}},
    }
    known = [RequiredFile(file="x4.pth", folder="special", url="https://example.org/x4")]

    assert files_of(graph, known) == (
        RequiredFile(file="vision.safetensors", folder="clip_vision"),
        RequiredFile(file="l.sft", folder="text_encoders"),
        RequiredFile(file="sub\\t5.sft", folder="text_encoders"),
        known[0],
    )
