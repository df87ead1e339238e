"""What the bundled workflows load and how they are set: known settings, families, names, built-in knobs."""

from collections import Counter

import pytest
from bundled_workflows import filled

from comfygen_mcp.graph.files import files_of
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.template import BUILT_IN_DEFAULTS


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("flux1-schnell", ("flux1-schnell.safetensors", 4, 1.0, "euler", "simple", 1024)),
        ("flux2-klein", ("flux-2-klein-4b-fp8.safetensors", 4, 1.0, "euler", None, 1024)),
        ("flux2-klein-base", ("flux-2-klein-base-4b-fp8.safetensors", 20, 5.0, "euler", None, 1024)),
        (
            "sd35-medium",
            ("sd3.5_medium_incl_clips_t5xxlfp8scaled.safetensors", 28, 4.5, "dpmpp_2m", "sgm_uniform", 1024),
        ),
        ("sd15", ("v1-5-pruned-emaonly-fp16.safetensors", 20, 8.0, "euler", "normal", 512)),
        ("sdxl", ("sd_xl_base_1.0.safetensors", 25, 8.0, "euler", "normal", 1024)),
        ("z-image-turbo", ("z_image_turbo_bf16.safetensors", 8, 1.0, "res_multistep", "simple", 1024)),
        ("flux1-dev", ("flux1-dev.safetensors", 20, 1.0, "euler", "simple", 1024)),
        ("qwen-image", ("qwen_image_2512_fp8_e4m3fn.safetensors", 50, 4.0, "euler", "simple", 1328)),
        ("qwen-image-lightning", ("qwen_image_2512_fp8_e4m3fn.safetensors", 4, 1.0, "euler", "simple", 1328)),
        ("flux1-fill", ("flux1-fill-dev.safetensors", 20, 1.0, "euler", "normal", 1024)),
        ("flux1-kontext", ("flux1-dev-kontext_fp8_scaled.safetensors", 20, 1.0, "euler", "simple", None)),
        ("qwen-image-edit", ("qwen_image_edit_2511_fp8mixed.safetensors", 40, 4.0, "euler", "simple", None)),
        ("wan22-5b-t2v", ("wan2.2_ti2v_5B_fp16.safetensors", 20, 5.0, "uni_pc", "simple", 1280)),
    ],
)
def test_the_known_settings_of_each_model_are_its_defaults(name, settings):
    defaults = WorkflowLibrary().load(name, allow_paths=False).metadata.defaults

    knobs = ("model", "steps", "cfg", "sampler", "scheduler", "width")
    assert tuple(defaults.get(knob) for knob in knobs) == settings


def test_flux1_schnell_keeps_its_ten_node_ids():
    graph = WorkflowLibrary().load("flux1-schnell", allow_paths=False).graph

    assert {node_id: node["class_type"] for node_id, node in graph.items()} == {
        "6": "CLIPTextEncode",
        "8": "VAEDecode",
        "9": "SaveImage",
        "10": "VAELoader",
        "11": "DualCLIPLoader",
        "12": "UNETLoader",
        "13": "CLIPTextEncode",
        "27": "EmptySD3LatentImage",
        "30": "ModelSamplingFlux",
        "31": "KSampler",
    }


def test_flux1_schnell_is_the_model_of_those_who_name_none_and_flux_dev_still_means_sd15():
    library = WorkflowLibrary()

    assert library.all()[0].name == "flux1-schnell"
    assert library.load("flux-dev", allow_paths=False).name == "sd15"


def test_the_built_in_defaults_fill_the_optional_knobs():
    assert (
        BUILT_IN_DEFAULTS.items()
        >= {
            "vae": "ae.safetensors",
            "clip_l": "clip_l.safetensors",
            "clip_t5": "t5xxl_fp8_e4m3fn.safetensors",
            "clip": "qwen_3_4b.safetensors",
            "dtype": "fp8_e4m3fn",
            "guidance": 4.0,
            "shift": 3.0,
            "steps": 4,
            "cfg": 1.0,
            "sampler": "euler",
            "scheduler": "simple",
        }.items()
    )


@pytest.mark.parametrize(("kind", "version"), [("t2v", "v1.1"), ("i2v", "v1")])
def test_wan22_runs_in_four_steps_with_both_loras_at_full_strength(kind, version):
    workflow = WorkflowLibrary().load(f"wan22-{kind}", allow_paths=False)
    graph, defaults = filled(workflow), workflow.metadata.defaults
    loras = {graph[i]["inputs"]["lora_name"]: graph[i]["inputs"] for i in ("7", "8")}
    samplers = [node["inputs"] for node in graph.values() if node["class_type"] == "KSamplerAdvanced"]

    assert [entry.file for entry in files_of(graph)] == [
        f"wan2.2_{kind}_high_noise_14B_fp8_scaled.safetensors",
        f"wan2.2_{kind}_low_noise_14B_fp8_scaled.safetensors",
        "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        "wan_2.1_vae.safetensors",
        *loras,
    ]
    assert list(loras) == [
        f"wan2.2_{kind}_lightx2v_4steps_lora_{version}_{stage}_noise.safetensors" for stage in ("high", "low")
    ]
    assert {entry["strength_model"] for entry in loras.values()} == {1.0}
    assert [(s["steps"], s["start_at_step"], s["end_at_step"]) for s in samplers] == [
        (4, 0, 2),
        (4, 2, 10000),
    ]
    assert [defaults[knob] for knob in ("width", "height", "frames", "fps")] == [848, 480, 81, 16.0]


@pytest.mark.parametrize("kind", ["t2v", "i2v"])
def test_wan22_without_the_loras_is_another_family_with_the_same_files_and_twenty_steps(kind):
    quick, full = (WorkflowLibrary().load(f"wan22-{kind}{end}", allow_paths=False) for end in ("", "-full"))
    files = {entry.file for entry in full.metadata.requires}

    assert files == {entry.file for entry in quick.metadata.requires if entry.folder != "loras"}
    assert (full.metadata.defaults["steps"], full.metadata.defaults["split_step"]) == (20, 10)
    assert (quick.family, full.family) == ("wan22", "wan22-full")
    # The text that the model was tuned with; at cfg 1 there is no negative side.
    assert str(full.metadata.defaults["negative"]).startswith("色调艳丽")
    assert quick.metadata.defaults["negative"] == ""


@pytest.mark.parametrize("kind", ["img2img", "inpaint", "edit", "img2video"])
def test_the_workflows_of_a_family_load_the_same_model_unless_the_pictures_need_another(kind):
    by_family = {}
    for workflow in WorkflowLibrary().all():
        by_family.setdefault(workflow.family, []).append(workflow)

    pairs = [(ws[0], w) for ws in by_family.values() for w in ws[1:] if w.metadata.kind == kind]

    assert pairs
    for text, picture in pairs:
        same = {entry.file for entry in text.metadata.requires} == {e.file for e in picture.metadata.requires}
        assert same is (not text.family.startswith("wan22") or text.family == "wan22-5b")
        assert text.metadata.architecture == picture.metadata.architecture


def test_no_two_workflows_of_a_family_are_of_one_kind_and_no_two_names_are_the_same():
    workflows = WorkflowLibrary().all()
    kinds = Counter((workflow.family, workflow.metadata.kind) for workflow in workflows)
    names = Counter(name for w in workflows for name in (w.name, *w.metadata.aliases))

    assert set(kinds.values()) == {1}
    assert set(names.values()) == {1}
