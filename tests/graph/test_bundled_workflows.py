"""Every file in workflows/ fills, fits the node classes, and tells how it differs from an accepted one."""

from collections import Counter

import pytest
from bundled_workflows import (
    EACH,
    INPUTS,
    NAMES,
    REQUEST,
    differing_places,
    filled,
    of_kind,
    origins,
    renamed,
)

from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.files import files_of
from comfygen_mcp.graph.library import WorkflowLibrary, bundled_folder
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.prefix import with_filename_prefix
from comfygen_mcp.graph.template import fill, placeholders, substitution_map
from comfygen_mcp.presets import load_presets, preset_values
from comfygen_mcp.sizes import NAMED_RATIOS, resolve_size

ORIGINS = origins()
SAMPLING = ("txt2img", "img2img", "inpaint", "edit", "txt2video", "img2video")
VIDEO = ("txt2video", "img2video")
SIZED_BY_INPUT = ("img2img", "inpaint", "img2video")
TAKES = {
    "txt2img": set(),
    "img2img": {"image"},
    "inpaint": {"image", "mask"},
    "edit": {"image", "image2", "image3"},
    "upscale": {"image"},
    "txt2video": set(),
    "img2video": {"image"},
}


def test_all_bundled_files_are_good_and_each_descends_from_an_accepted_graph():
    files = {file.stem for file in bundled_folder().glob("*.json")}

    assert WorkflowLibrary().broken() == ()
    assert set(NAMES) == files == ORIGINS.keys()


def test_every_kind_of_task_has_its_workflows():
    kinds = Counter(workflow.metadata.kind for workflow in WorkflowLibrary().all())
    named = {
        *("flux1-schnell", "flux1-dev", "flux2-klein", "flux2-klein-base", "sd35-medium", "sd15", "sdxl"),
        *("z-image-turbo", "qwen-image", "qwen-image-lightning"),
        *("sd15-img2img", "sdxl-img2img", "flux1-schnell-img2img", "z-image-turbo-img2img"),
        *("sd15-inpaint", "sdxl-inpaint", "flux1-fill"),
        *("flux1-kontext", "flux2-klein-edit", "flux2-klein-base-edit"),
        *("qwen-image-edit", "qwen-image-edit-lightning", "upscale", "upscale-lanczos"),
        *("wan22-t2v", "wan22-t2v-full", "wan22-i2v", "wan22-i2v-full", "wan22-5b-t2v", "wan22-5b-i2v"),
    }

    assert set(NAMES) == named
    assert kinds == {
        "txt2img": 10,
        "img2img": 4,
        "inpaint": 3,
        "edit": 5,
        "upscale": 2,
        "txt2video": 3,
        "img2video": 3,
    }


@EACH
def test_a_bundled_graph_differs_from_the_accepted_one_only_where_its_metadata_says_so(workflow):
    accepted = ORIGINS[workflow.name]
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
    used, kind = set(placeholders(workflow.graph)), workflow.metadata.kind
    # The input picture is brought to that size, or enlarged by that factor, before it is uploaded.
    beside = {"width", "height"} if kind in SIZED_BY_INPUT else {"scale"} if kind == "upscale" else set()
    by_the_picture = {"width", "height"} if kind == "upscale" else set()

    assert set(workflow.metadata.defaults) - beside == used - beside - by_the_picture - {
        "prompt",
        "seed",
        *INPUTS,
    }
    assert beside <= workflow.metadata.defaults.keys()


@EACH
def test_a_bundled_workflow_takes_the_inputs_of_its_kind(workflow):
    used, kind = set(placeholders(workflow.graph)), workflow.metadata.kind

    assert used & set(INPUTS) == TAKES[kind]
    assert set(workflow.metadata.optional) == used & {"image2", "image3"}


@of_kind(*SAMPLING)
def test_a_bundled_workflow_that_samples_has_the_knobs_of_sampling(workflow):
    used, kind = set(placeholders(workflow.graph)), workflow.metadata.kind

    assert {"prompt", "seed", "steps", "cfg", "sampler", "model"} <= used
    assert ("denoise" in used) is (kind in ("img2img", "inpaint"))
    assert ("batch_size" in used) is (kind not in VIDEO)
    assert ({"width", "height"} <= used) or kind in ("img2img", "inpaint", "edit")


@of_kind("txt2img", "img2img", "inpaint", "edit")
def test_a_batch_reaches_the_sampler_of_every_workflow_that_makes_pictures(workflow):
    one, four = filled(workflow), filled(workflow, batch_size=4)
    changed = {(one[node]["class_type"], name) for node, name in differing_places(one, four)}
    latent = next(
        inputs["latent_image"] for node in four.values() if "latent_image" in (inputs := node["inputs"])
    )

    assert four[latent[0]]["inputs"].get("amount", four[latent[0]]["inputs"].get("batch_size")) == 4
    assert changed <= {
        ("RepeatLatentBatch", "amount"),
        ("RepeatImageBatch", "amount"),
        *((four[latent[0]]["class_type"], "batch_size"),),
    }
    assert validate(four, shipped_catalogue()) == ()


@of_kind("edit")
def test_an_edit_with_one_picture_is_the_accepted_graph_but_for_its_batch(workflow):
    accepted, catalogue = ORIGINS[workflow.name], shipped_catalogue()
    alone = without_unused(workflow.graph, workflow.metadata.optional, catalogue)

    # A reference without a picture hands on the conditioning that it got.
    idle = {
        node_id: node["inputs"]["conditioning"]
        for node_id, node in alone.items()
        if node["class_type"] == "ReferenceLatent" and "latent" not in node["inputs"]
    }
    template = {i: _past(idle, node) for i, node in alone.items() if i not in idle}
    ours = filled(workflow, template, **accepted["request"])
    places = set(differing_places(ours, accepted["graph"]))
    added = {ours[node]["class_type"] for node, name in places if name is None}

    assert added <= {"RepeatLatentBatch"}
    assert {name for _, name in places} <= {
        *(None, "latent_image", "clip_name2", "vae_name"),
        "filename_prefix",
    }
    assert validate(ours, catalogue) == ()


@of_kind("edit")
@pytest.mark.parametrize("given", [1, 2, 3])
def test_an_edit_takes_one_to_three_pictures(workflow, given):
    unused = ("image2", "image3")[given - 1 :]
    graph = filled(workflow, without_unused(workflow.graph, unused, shipped_catalogue()))

    check_links(graph, shipped_catalogue())

    loaded = [node["inputs"]["image"] for node in graph.values() if node["class_type"] == "LoadImage"]
    assert sorted(loaded) == sorted(REQUEST[name] for name in ("image", "image2", "image3")[:given])
    assert validate(graph, shipped_catalogue()) == ()


@of_kind(*VIDEO)
def test_a_video_workflow_saves_a_video_and_its_first_frame(workflow):
    graph = filled(workflow, frames=33, fps=8.0)
    by_class = {node["class_type"]: node["inputs"] for node in graph.values()}
    film = by_class["CreateVideo"]["images"]

    assert by_class["CreateVideo"]["fps"] == 8.0
    assert (
        by_class["SaveVideo"].items() >= {"format": "auto", "codec": "auto", "format.codec": "auto"}.items()
    )
    assert by_class["ImageFromBatch"] == {"image": film, "batch_index": 0, "length": 1}
    assert graph[by_class["SaveImage"]["images"][0]]["class_type"] == "ImageFromBatch"
    assert [node["inputs"]["length"] for node in graph.values() if node["inputs"].get("length", 1) != 1] == [
        33
    ]


@of_kind(*VIDEO)
def test_the_frames_and_the_size_of_a_video_workflow_keep_its_own_rules(workflow):
    defaults, limits = workflow.metadata.defaults, workflow.metadata.limits

    assert (defaults["frames"] - 1) % limits.frame_step == 0
    assert defaults["frames"] <= limits.max_frames
    assert limits.frame_step == 4
    assert limits.max_count == 1
    assert limits.multiple_of == (32 if "5b" in workflow.name else 16)
    assert defaults["width"] % limits.multiple_of == defaults["height"] % limits.multiple_of == 0


@of_kind("inpaint")
def test_an_inpainted_picture_keeps_its_own_pixels_outside_the_mask(workflow):
    graph = filled(workflow)
    save = next(node for node in graph.values() if node["class_type"] == "SaveImage")
    paste = graph[save["inputs"]["images"][0]]
    background = graph[paste["inputs"]["destination"][0]]["inputs"]["image"]
    mask = graph[graph[paste["inputs"]["mask"][0]]["inputs"]["mask"][0]]

    assert paste["class_type"] == "ImageCompositeMasked"
    assert graph[background[0]]["inputs"] == {"image": "comfygen/image.png"}
    assert mask == {"class_type": "LoadImageMask", "inputs": {"image": "comfygen/mask.png", "channel": "red"}}


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
    assert told.family
    assert told.good_at
    assert (told.architecture is None) is (told.kind == "upscale")
    assert told.nodes.keys() == workflow.graph.keys()


@of_kind("txt2img", "img2img", "inpaint", "txt2video", "img2video")
@pytest.mark.parametrize("name", [*NAMED_RATIOS, "5:4"])
def test_every_named_size_is_possible_with_every_workflow_that_has_a_size(workflow, name):
    width, height = workflow.metadata.defaults["width"], workflow.metadata.defaults["height"]
    limits = workflow.metadata.limits

    size = resolve_size(
        size=name, width=None, height=None, default_width=width, default_height=height, limits=limits
    )

    assert size.width % limits.multiple_of == size.height % limits.multiple_of == 0
    assert size.width * size.height == pytest.approx(width * height, rel=0.13)


@of_kind(*SAMPLING)
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


def _past(idle, node):
    """Return *node* with links to idle nodes led on to what feeds those."""

    def of(value):
        while isinstance(value, list) and value[0] in idle:
            value = idle[value[0]]
        return value

    return {**node, "inputs": {name: of(value) for name, value in node["inputs"].items()}}
