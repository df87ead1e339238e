"""Every file in workflows/ fills, fits the node classes, and tells how it differs from an accepted one."""

import json
from pathlib import Path

import pytest

from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.files import files_of
from comfygen_mcp.graph.library import WorkflowLibrary, bundled_folder
from comfygen_mcp.graph.prefix import with_filename_prefix
from comfygen_mcp.graph.template import BUILT_IN_DEFAULTS, fill, placeholders, substitution_map
from comfygen_mcp.presets import load_presets, preset_values
from comfygen_mcp.sizes import NAMED_RATIOS, resolve_size

ACCEPTED = Path(__file__).parent.parent / "data" / "graph" / "accepted"
WORKFLOWS = WorkflowLibrary().all()
NAMES = [workflow.name for workflow in WORKFLOWS]
EACH = pytest.mark.parametrize("workflow", WORKFLOWS, ids=NAMES)
REQUEST = {"prompt": "a red fox in snow", "seed": 2**64 - 1}


def filled(workflow, **values):
    request = {**REQUEST, **values}
    return fill(
        workflow.graph,
        substitution_map(request=request, preset={}, block={}, defaults=workflow.metadata.defaults),
    )


def renamed(graph, ids):
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
    for node_id in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(node_id), theirs.get(node_id)
        if mine is None or other is None or mine["class_type"] != other["class_type"]:
            yield node_id, None
            continue
        for name in sorted(mine["inputs"].keys() | other["inputs"].keys()):
            a, b = mine["inputs"].get(name), other["inputs"].get(name)
            if (type(a), a) != (type(b), b):
                yield node_id, name


def test_all_bundled_files_are_good_and_each_has_an_accepted_graph():
    files = {file.stem for file in bundled_folder().glob("*.json")}

    assert WorkflowLibrary().broken() == ()
    assert set(NAMES) == files
    assert files == {file.stem for file in ACCEPTED.glob("*.json")}
    assert {"flux1-schnell", "flux2-klein", "flux2-klein-base", "sd35-medium", "sd15", "sdxl"} <= files
    assert "z-image-turbo" in files


@EACH
def test_a_bundled_graph_differs_from_the_accepted_one_only_where_its_metadata_says_so(workflow):
    accepted = json.loads((ACCEPTED / f"{workflow.name}.json").read_text(encoding="utf-8"))
    catalogue = shipped_catalogue()
    theirs = renamed(accepted["graph"], accepted.get("node_ids", {}))
    ours = filled(workflow, **accepted["request"])

    # A job replaces the file name prefix of every graph.
    places = differing_places(
        with_filename_prefix(ours, "x", catalogue), with_filename_prefix(theirs, "x", catalogue)
    )

    assert set(places) == {(entry.node, entry.input) for entry in workflow.metadata.differences}
    assert all(entry.why for entry in workflow.metadata.differences)
    assert workflow.metadata.checked_with == accepted["server"]


@EACH
def test_a_filled_bundled_graph_has_nothing_that_comfyui_would_refuse(workflow):
    graph = filled(workflow)

    check_links(graph, shipped_catalogue())

    assert validate(graph, shipped_catalogue()) == ()
    assert placeholders(graph) == {}


@EACH
def test_every_default_of_a_bundled_workflow_is_used_and_every_knob_is_set_by_itself(workflow):
    used = set(placeholders(workflow.graph))

    assert set(workflow.metadata.defaults) == used - {"prompt", "seed"}
    assert {"prompt", "seed", "steps", "cfg", "sampler", "width", "height", "batch_size", "model"} <= used


@EACH
def test_a_bundled_workflow_lists_exactly_the_files_that_its_graph_loads(workflow):
    needed = files_of(filled(workflow))

    assert {(entry.folder, entry.file) for entry in needed} == {
        (entry.folder, entry.file) for entry in workflow.metadata.requires
    }
    assert all(entry.url.startswith("https://") for entry in workflow.metadata.requires)
    assert all(entry.url.endswith(entry.file) for entry in workflow.metadata.requires)


@EACH
def test_a_bundled_workflow_tells_what_a_reader_needs_to_choose_it(workflow):
    told = workflow.metadata

    assert all((told.workflow_name, told.description, told.model, told.use_case, told.license, told.vram_gb))
    assert told.prompt_tips
    assert told.nodes.keys() == workflow.graph.keys()


@EACH
@pytest.mark.parametrize("name", [*NAMED_RATIOS, "5:4"])
def test_every_named_size_is_possible_with_every_bundled_workflow(workflow, name):
    width, height = workflow.metadata.defaults["width"], workflow.metadata.defaults["height"]
    limits = workflow.metadata.limits

    size = resolve_size(
        size=name, width=None, height=None, default_width=width, default_height=height, limits=limits
    )

    assert size.width % limits.multiple_of == size.height % limits.multiple_of == 0
    assert size.width * size.height == pytest.approx(width * height, rel=0.13)


@EACH
@pytest.mark.parametrize("preset", ["draft", "balanced", "high-quality", "fast", "ultra"])
def test_a_preset_changes_the_sampling_only_where_the_model_is_not_distilled(workflow, preset):
    values, notes = preset_values(
        load_presets().preset(preset), distilled=workflow.metadata.distilled, force=False, name=preset
    )
    graph = fill(
        workflow.graph,
        substitution_map(request=REQUEST, preset=values, block={}, defaults=workflow.metadata.defaults),
    )

    assert (graph == filled(workflow)) is workflow.metadata.distilled
    assert bool(notes) is workflow.metadata.distilled
    assert validate(graph, shipped_catalogue()) == ()


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
