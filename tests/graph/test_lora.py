"""LoRAs go right behind every model that they are meant for, whatever the graph is, and break no link."""

import copy
import json
from collections import Counter
from pathlib import Path

import pytest
from accepted_graphs import accepted_graphs, bundled_graphs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.extract import loras_of
from comfygen_mcp.graph.lora import with_loras
from comfygen_mcp.graph.lora_sources import chosen_sources, lora_sources
from comfygen_mcp.graph.lora_stages import noise_stage_told_by
from comfygen_mcp.graph.metadata import LoraAnchors
from comfygen_mcp.graph.samplers import samplers
from comfygen_mcp.graph.wiring import wiring
from comfygen_mcp.models import LoraUse

CATALOGUE = shipped_catalogue()
ACCEPTED = accepted_graphs()
BUNDLED = bundled_graphs(CATALOGUE)
GRAPHS = {**ACCEPTED, **{f"bundled {name}": graph for name, graph in BUNDLED.items()}}
WITH_MODEL = [name for name, graph in GRAPHS.items() if lora_sources(graph, CATALOGUE, None)]
WITHOUT_MODEL = [name for name in GRAPHS if name not in WITH_MODEL]
FOX = LoraUse(name="fox.safetensors", strength=0.7)
THREE = (
    FOX,
    LoraUse(name="sub/dir/ink.safetensors", strength=-0.5),
    LoraUse(name="snow_high_noise.safetensors"),
)


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def lora_nodes(graph):
    return {
        node_id: (node["class_type"], node["inputs"])
        for node_id, node in graph.items()
        if node.get("_meta", {}).get("title", "").startswith("LoRA: ")
    }


def added(before, after):
    return {node_id: node for node_id, node in after.items() if node_id not in before}


def chain_before(graph, new, link, kind):
    """Return the LoRAs between a link and the slot that it came from, the first one first, and that slot."""
    names = []
    while link[0] in new:
        inputs = graph[link[0]]["inputs"]
        names.append((inputs["lora_name"], inputs["strength_model"]))
        link = inputs[kind]
    return names[::-1], tuple(link)


def assert_all_behind(before, after, loras, catalogue, anchors=None):
    """Check every former consumer of every source, and that nothing else has changed."""
    new = added(before, after)
    sources = lora_sources(before, catalogue, anchors)
    wanted = {
        source.model: [(use.name, use.strength) for use in loras if source in chosen_sources(use, sources)]
        for source in sources
    }
    clips = {source.clip for source in sources}
    for node_id, old in before.items():
        assert after[node_id]["class_type"] == old["class_type"]
        assert after[node_id]["inputs"].keys() == old["inputs"].keys()
        for name, value in old["inputs"].items():
            now = after[node_id]["inputs"][name]
            if not isinstance(value, list):
                assert now == value
                continue
            slot = tuple(value)
            if slot in wanted:
                assert chain_before(after, new, now, "model") == (wanted[slot], slot)
            elif slot in clips:
                chained, start = chain_before(after, new, now, "clip")
                assert start == slot
                assert len(chained) == sum(
                    1 for one in new.values() if "clip" in one["inputs"] and _rooted(after, new, one, slot)
                )
            else:
                assert now == value
    return new


def _rooted(graph, new, node, slot):
    return chain_before(graph, new, node["inputs"]["clip"], "clip")[1] == slot


@pytest.mark.parametrize("loras", [(), (FOX,), THREE], ids=["none", "one", "three"])
@pytest.mark.parametrize("name", WITH_MODEL)
def test_every_consumer_of_every_graph_comes_after_the_whole_chain(name, loras):
    graph = GRAPHS[name]
    untouched = copy.deepcopy(graph)

    patched = with_loras(graph, loras, CATALOGUE)

    check_links(patched, CATALOGUE)
    assert graph == untouched
    assert validate(patched, CATALOGUE) == validate(graph, CATALOGUE)
    assert samplers(patched, wiring(patched, CATALOGUE), CATALOGUE) == samplers(
        graph, wiring(graph, CATALOGUE), CATALOGUE
    )
    new = assert_all_behind(graph, patched, loras, CATALOGUE)
    assert {one["_meta"]["title"] for one in new.values()} == {f"LoRA: {use.name}" for use in loras}
    assert bool(new) is bool(loras)
    assert loras or patched == graph


@pytest.mark.parametrize("name", WITHOUT_MODEL)
def test_a_graph_without_a_model_refuses_loras_and_says_why(name):
    assert with_loras(GRAPHS[name], (), CATALOGUE) == GRAPHS[name]
    with pytest.raises(BadRequest, match="no node gives a MODEL"):
        with_loras(GRAPHS[name], (FOX,), CATALOGUE)


def test_the_graphs_without_a_model_are_the_ones_that_only_scale():
    assert set(WITHOUT_MODEL) & ACCEPTED.keys() == {
        "image_scale_only",
        "upscale_with_model",
        "upscale_with_model_then_scale",
    }


@pytest.mark.parametrize(
    ("names", "count", "class_type"),
    [
        (("sd15_*", "sdxl_*", "sd35_*", "flux1_*"), 19, "LoraLoader"),
        (("flux2_*", "wan2*", "qwen_*", "z_image_*", "ltxv_*"), 25, "LoraLoaderModelOnly"),
    ],
)
def test_the_text_encoder_is_patched_where_the_loras_of_that_model_hold_one(names, count, class_type):
    matching = [name for name in ACCEPTED if any(Path(name).match(pattern) for pattern in names)]

    assert len(matching) == count
    for name in matching:
        new = added(ACCEPTED[name], with_loras(ACCEPTED[name], (FOX,), CATALOGUE))
        assert {one["class_type"] for one in new.values()} == {class_type}, name


def test_a_lora_behind_a_checkpoint_takes_model_and_clip_with_both_strengths():
    apart = LoraUse(name="ink.safetensors", strength=0.8, strength_clip=0.25)

    patched = with_loras(ACCEPTED["sd15_txt2img"], (FOX, apart), CATALOGUE)

    assert added(ACCEPTED["sd15_txt2img"], patched) == {
        "lora-1": {
            "class_type": "LoraLoader",
            "inputs": {
                "model": ["1", 0],
                "clip": ["1", 1],
                "lora_name": "fox.safetensors",
                "strength_model": 0.7,
                "strength_clip": 0.7,
            },
            "_meta": {"title": "LoRA: fox.safetensors"},
        },
        "lora-2": {
            "class_type": "LoraLoader",
            "inputs": {
                "model": ["lora-1", 0],
                "clip": ["lora-1", 1],
                "lora_name": "ink.safetensors",
                "strength_model": 0.8,
                "strength_clip": 0.25,
            },
            "_meta": {"title": "LoRA: ink.safetensors"},
        },
    }
    assert patched["5"]["inputs"]["model"] == ["lora-2", 0]
    assert patched["2"]["inputs"]["clip"] == patched["3"]["inputs"]["clip"] == ["lora-2", 1]
    assert patched["6"]["inputs"]["vae"] == ["1", 2]


def test_loras_that_are_there_already_follow_the_chain():
    patched = with_loras(ACCEPTED["sd15_txt2img_2loras"], (FOX,), CATALOGUE)

    assert [use.name for use in loras_of(patched, CATALOGUE)] == [
        "fox.safetensors",
        "sd15_test_lora.safetensors",
        "sub/dir/nested_lora.safetensors",
    ]
    assert patched["20"]["inputs"]["model"] == ["lora-1", 0]
    assert patched["20"]["inputs"]["clip"] == ["lora-1", 1]
    assert patched["21"] == ACCEPTED["sd15_txt2img_2loras"]["21"]


def test_a_split_loader_is_patched_with_the_text_encoder_of_its_sampler():
    patched = with_loras(ACCEPTED["flux1_dev_txt2img"], (FOX,), CATALOGUE)

    assert patched["lora-1"]["inputs"]["clip"] == ["8", 0]
    assert patched["2"]["inputs"]["clip"] == ["lora-1", 1]


def test_an_explicit_clip_strength_patches_the_text_encoder_of_any_model():
    use = LoraUse(name="fox.safetensors", strength=0.7, strength_clip=0.0)

    patched = with_loras(ACCEPTED["z_image_turbo_txt2img"], (use,), CATALOGUE)

    assert patched["lora-1"]["class_type"] == "LoraLoader"
    assert patched["lora-1"]["inputs"]["strength_clip"] == 0.0
    assert patched["2"]["inputs"]["clip"] == ["lora-1", 1]


def test_an_image_only_checkpoint_has_no_clip_though_it_has_a_second_slot():
    graph = {
        "1": node("ImageOnlyCheckpointLoader", ckpt_name="svd.safetensors"),
        "2": node("LoadImage", image="a.png"),
        "3": node(
            "SVD_img2vid_Conditioning",
            clip_vision=["1", 1],
            init_image=["2", 0],
            vae=["1", 2],
            width=1024,
            height=576,
            video_frames=14,
            motion_bucket_id=127,
            fps=6,
            augmentation_level=0.0,
        ),
        "4": node("VideoLinearCFGGuidance", model=["1", 0], min_cfg=1.0),
        "5": {**ACCEPTED["sd15_txt2img"]["5"]},
        "6": node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": node("SaveImage", images=["6", 0], filename_prefix="svd"),
    }
    links = {"model": ["4", 0], "positive": ["3", 0], "negative": ["3", 1], "latent_image": ["3", 2]}
    graph["5"] = {**graph["5"], "inputs": {**graph["5"]["inputs"], **links}}

    use = LoraUse(name="fox.safetensors", strength=0.7, strength_clip=0.3)
    patched = with_loras(graph, (use,), CATALOGUE)

    check_links(patched, CATALOGUE)
    assert patched["lora-1"]["class_type"] == "LoraLoaderModelOnly"
    assert patched["3"]["inputs"]["clip_vision"] == ["1", 1]
    assert patched["4"]["inputs"]["model"] == ["lora-1", 0]


def test_only_the_base_is_patched_unless_the_refiner_is_meant():
    graph = ACCEPTED["sdxl_base_refiner"]
    for_refiner = FOX.model_copy(update={"target": "refiner"})

    base, refiner = with_loras(graph, (FOX,), CATALOGUE), with_loras(graph, (for_refiner,), CATALOGUE)

    assert base["5"]["inputs"]["model"] == ["lora-1", 0]
    assert base["11"] == graph["11"]
    assert base["9"] == graph["9"]
    assert refiner["11"]["inputs"]["model"] == ["lora-1", 0]
    assert refiner["9"]["inputs"]["clip"] == ["lora-1", 1]
    assert refiner["5"] == graph["5"]
    assert with_loras(graph, (FOX.model_copy(update={"target": "base"}),), CATALOGUE) == base


def test_the_base_is_told_by_the_order_of_the_samplers_when_no_file_is_called_refiner():
    graph = copy.deepcopy(ACCEPTED["sdxl_base_refiner"])
    graph["8"]["inputs"]["ckpt_name"] = "another_xl.safetensors"
    swapped = {node_id: graph[node_id] for node_id in ("11", "8", *graph)}

    patched = with_loras(swapped, (FOX,), CATALOGUE)

    assert patched["5"]["inputs"]["model"] == ["lora-1", 0]
    assert patched["11"]["inputs"]["model"] == ["8", 0]


@pytest.mark.parametrize("named", [True, False], ids=["told by file names", "told by the order"])
@pytest.mark.parametrize(
    ("use", "stages"),
    [
        (LoraUse(name="wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise.safetensors"), {"high"}),
        (LoraUse(name="wan2.2_t2v_lightx2v_4steps_lora_v1.1_low_noise.safetensors"), {"low"}),
        (LoraUse(name="fox.safetensors"), {"high", "low"}),
        (LoraUse(name="fox.safetensors", target="low"), {"low"}),
        (LoraUse(name="fox_low_noise.safetensors", target="high"), {"high"}),
    ],
)
def test_a_wan_lora_goes_to_the_stage_that_it_is_meant_for(use, stages, named):
    graph = copy.deepcopy(ACCEPTED["wan22_t2v_14b_full"])
    if not named:
        graph["1"]["inputs"]["unet_name"] = "first.safetensors"
        graph["2"]["inputs"]["unet_name"] = "second.safetensors"

    patched = with_loras(graph, (use,), CATALOGUE)

    behind = {
        stage
        for stage, sampling in (("high", "9"), ("low", "10"))
        if patched[sampling]["inputs"]["model"][0].startswith("lora-")
    }
    assert behind == stages
    assert {one["class_type"] for one in added(graph, patched).values()} == {"LoraLoaderModelOnly"}


def test_models_that_share_a_text_encoder_patch_it_once_for_each_lora():
    use = LoraUse(name="fox.safetensors", strength=0.7, strength_clip=0.5)
    low = LoraUse(name="ink_low_noise.safetensors", strength=1.0, strength_clip=0.25)

    patched = with_loras(ACCEPTED["wan22_t2v_14b_full"], (use, low), CATALOGUE)

    check_links(patched, CATALOGUE)
    loaders = [one["class_type"] for one in added(ACCEPTED["wan22_t2v_14b_full"], patched).values()]
    assert loaders == ["LoraLoader", "LoraLoaderModelOnly", "LoraLoader"]
    assert patched["5"]["inputs"]["clip"] == ["lora-3", 1]
    assert patched["lora-3"]["inputs"]["clip"] == ["lora-1", 1]
    assert patched["lora-3"]["inputs"]["model"] == ["lora-2", 0]


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("sd15_txt2img", "high", "it has one stage"),
        ("sdxl_base_refiner", "low", "its stages are base and refiner"),
        ("wan22_t2v_14b_full", "refiner", "its stages are high and low"),
    ],
)
def test_a_target_that_the_graph_does_not_have_is_refused_with_those_it_has(name, target, words):
    with pytest.raises(BadRequest) as caught:
        with_loras(ACCEPTED[name], (FOX.model_copy(update={"target": target}),), CATALOGUE)

    assert words in str(caught.value)
    assert "'fox.safetensors'" in str(caught.value)


def test_the_only_model_of_a_graph_is_its_base():
    base = FOX.model_copy(update={"target": "base"})

    assert with_loras(ACCEPTED["sd15_txt2img"], (base,), CATALOGUE) == with_loras(
        ACCEPTED["sd15_txt2img"], (FOX,), CATALOGUE
    )


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors", "high"),
        ("wan22-motion-LOW.safetensors", "low"),
        ("Wan2.2 HighNoise.safetensors", "high"),
        ("WanLowNoiseFox.safetensors", "low"),
        ("wan22_low_v2_rank64.safetensors", "low"),
        ("wan\\high\\fox.safetensors", "high"),
        ("low/fox_high.safetensors", "high"),
        ("high_low_merged.safetensors", None),
        ("low_poly_style.safetensors", None),
        ("high-detail.safetensors", None),
        ("yellow_flower.safetensors", None),
        ("highway.safetensors", None),
        ("fox.safetensors", None),
    ],
)
def test_a_file_name_tells_the_stage_only_where_it_means_noise(name, stage):
    assert noise_stage_told_by(name) == stage


def merged_graph():
    graph = copy.deepcopy(ACCEPTED["sd15_txt2img"])
    graph["8"] = node("CheckpointLoaderSimple", ckpt_name="other.safetensors")
    graph["9"] = node("ModelMergeSimple", model1=["1", 0], model2=["8", 0], ratio=0.5)
    graph["5"]["inputs"]["model"] = ["9", 0]
    return graph


def test_models_that_are_merged_get_the_lora_once_each_and_their_text_encoder_once():
    graph = merged_graph()

    patched = with_loras(graph, (FOX,), CATALOGUE)

    check_links(patched, CATALOGUE)
    assert patched["9"]["inputs"] == {"model1": ["lora-1", 0], "model2": ["lora-2", 0], "ratio": 0.5}
    assert [patched[one]["class_type"] for one in ("lora-1", "lora-2")] == [
        "LoraLoader",
        "LoraLoaderModelOnly",
    ]
    assert loras_of(patched, CATALOGUE) == (FOX,)


def test_a_model_that_no_sampler_uses_is_left_alone():
    graph = copy.deepcopy(ACCEPTED["sd15_txt2img"])
    graph["8"] = node("UNETLoader", unet_name="other.safetensors", weight_dtype="default")
    graph["9"] = node("ModelSave", model=["8", 0], filename_prefix="x")

    patched = with_loras(graph, (FOX,), CATALOGUE)

    assert patched["9"] == graph["9"]
    assert len(added(graph, patched)) == 1


def test_a_graph_that_only_saves_its_model_gets_the_lora_all_the_same():
    graph = {
        "8": node("UNETLoader", unet_name="other.safetensors", weight_dtype="default"),
        "9": node("ModelSave", model=["8", 0], filename_prefix="x"),
    }

    assert with_loras(graph, (FOX,), CATALOGUE)["9"]["inputs"]["model"] == ["lora-1", 0]


def test_both_sides_of_a_switch_are_behind_the_lora():
    graph = copy.deepcopy(ACCEPTED["qwen_image_2512_lightning4"])
    graph["40"] = node("PrimitiveBoolean", value=True)
    graph["41"] = node("ComfySwitchNode", switch=["40", 0], on_true=["20", 0], on_false=["1", 0])
    graph["10"]["inputs"]["model"] = ["41", 0]

    patched = with_loras(graph, (FOX,), CATALOGUE)

    check_links(patched, CATALOGUE)
    assert patched["20"]["inputs"]["model"] == patched["41"]["inputs"]["on_false"] == ["lora-1", 0]
    assert patched["41"]["inputs"]["on_true"] == ["20", 0]


def test_a_loader_of_an_unknown_class_is_told_by_what_takes_from_it():
    graph = copy.deepcopy(ACCEPTED["flux1_dev_txt2img"])
    graph["1"]["class_type"] = "SomebodysGgufLoader"
    graph["30"] = node("SomebodysPatch", Model=["1", 0], amount=1)
    graph["5"]["inputs"]["model"] = ["30", 0]

    patched = with_loras(graph, (FOX,), CATALOGUE)

    check_links(patched, CATALOGUE)
    assert patched["30"]["inputs"]["Model"] == ["lora-1", 0]
    assert patched["lora-1"]["inputs"]["model"] == ["1", 0]
    assert patched["lora-1"]["inputs"]["clip"] == ["8", 0]


def test_a_loader_that_the_server_declares_is_found_by_its_slots():
    raw = {
        "TurnedLoader": {"input": {"required": {"name": [["a.ckpt"]]}}, "output": ["VAE", "CLIP", "MODEL"]}
    }
    catalogue = CATALOGUE.merged(parse_object_info(raw))
    graph = copy.deepcopy(ACCEPTED["sd15_txt2img"])
    graph["1"] = node("TurnedLoader", name="a.ckpt")
    graph["5"]["inputs"]["model"] = ["1", 2]
    graph["6"]["inputs"]["vae"] = ["1", 0]

    patched = with_loras(graph, (FOX,), catalogue)

    check_links(patched, catalogue)
    assert patched["lora-1"]["inputs"]["model"] == ["1", 2]
    assert patched["lora-1"]["inputs"]["clip"] == ["1", 1]
    assert patched["6"] == graph["6"]


def test_without_any_catalogue_the_names_of_the_inputs_tell():
    patched = with_loras(ACCEPTED["sd15_txt2img"], (FOX,), Catalogue())

    assert patched["lora-1"]["inputs"]["model"] == ["1", 0]
    assert patched["5"]["inputs"]["model"] == ["lora-1", 0]
    check_links(patched, CATALOGUE)


def test_new_node_ids_are_not_in_use():
    graph = copy.deepcopy(ACCEPTED["sd15_txt2img"])
    graph["lora-1"] = node("PrimitiveInt", value=1)

    assert added(graph, with_loras(graph, (FOX, FOX), CATALOGUE)).keys() == {"lora-2", "lora-3"}


def test_anchors_say_where_loras_go_when_types_do_not_tell():
    graph = ACCEPTED["qwen_image_edit_2511"]
    anchors = LoraAnchors(model=(("10", 0),), clip=(("8", 0),))

    both = with_loras(graph, (FOX,), CATALOGUE, anchors)
    alone = with_loras(graph, (FOX,), CATALOGUE, LoraAnchors(model=(("10", 0),)))

    check_links(both, CATALOGUE)
    assert both["26"]["inputs"]["model"] == ["lora-1", 0]
    assert both["lora-1"]["inputs"]["model"] == ["10", 0]
    assert both["2"]["inputs"]["clip"] == both["3"]["inputs"]["clip"] == ["lora-1", 1]
    assert alone["lora-1"]["class_type"] == "LoraLoaderModelOnly"
    assert alone["2"] == graph["2"]


def test_an_anchor_at_a_node_that_is_not_there_blames_the_workflow():
    with pytest.raises(BadWorkflow, match=r"names node '99', which does not exist\. Nodes: 1"):
        with_loras(ACCEPTED["sd15_txt2img"], (FOX,), CATALOGUE, LoraAnchors(model=(("99", 0),)))


def test_links_to_nodes_that_do_not_exist_are_left_for_the_check():
    graph = copy.deepcopy(ACCEPTED["sd15_txt2img"])
    graph["5"]["inputs"]["latent_image"] = ["99", 0]

    patched = with_loras(graph, (FOX,), CATALOGUE)

    assert patched["5"]["inputs"]["latent_image"] == ["99", 0]
    with pytest.raises(BadWorkflow, match="'99', which does not exist"):
        check_links(patched, CATALOGUE)


def test_a_graph_of_thousands_of_nodes_is_patched():
    copies = 700
    graph = {
        f"{at}:{node_id}": {
            **one,
            "inputs": {
                name: [f"{at}:{value[0]}", value[1]] if isinstance(value, list) else value
                for name, value in one["inputs"].items()
            },
        }
        for at in range(copies)
        for node_id, one in ACCEPTED["sd15_txt2img"].items()
    }

    patched = with_loras(graph, (FOX,), CATALOGUE)

    assert len(patched) == 8 * copies
    check_links(patched, CATALOGUE)


def test_a_crowd_of_models_one_behind_the_other_has_no_stages():
    graph = copy.deepcopy(ACCEPTED["wan22_t2v_14b_full"])
    for at in range(20):
        graph[f"u{at}"] = node("UNETLoader", unet_name=f"wan_low_{at}.safetensors", weight_dtype="default")
        graph[f"s{at}"] = copy.deepcopy(graph["13"])
        graph[f"s{at}"]["inputs"]["model"] = [f"u{at}", 0]
        graph[f"s{at}"]["inputs"]["latent_image"] = [f"s{at - 1}" if at else "13", 0]

    patched = with_loras(graph, (LoraUse(name="fox_high_noise.safetensors"),), CATALOGUE)

    check_links(patched, CATALOGUE)
    assert len(added(graph, patched)) == 22


CUSTOM = parse_object_info(
    {
        "LoaderAfterImage": {"input": {"optional": {"image": ["IMAGE"]}}, "output": ["MODEL", "CLIP", "VAE"]},
        "EncoderAfterModel": {"input": {"optional": {"model": ["MODEL"]}}, "output": ["CLIP"]},
        "AnySwitch": {"input": {"optional": {"any_01": ["*"], "any_02": ["*"]}}, "output": ["*"]},
    }
)
POOL = [
    *(
        "CheckpointLoaderSimple",
        "UNETLoader",
        "CLIPLoader",
        "DualCLIPLoader",
        "VAELoader",
        "EmptyLatentImage",
    ),
    *("LoraLoader", "LoraLoaderModelOnly", "ModelSamplingSD3", "ModelMergeSimple", "CLIPSetLastLayer"),
    *("CLIPTextEncode", "ConditioningCombine", "KSampler", "KSamplerAdvanced", "CFGGuider", "BasicScheduler"),
    *("KSamplerSelect", "RandomNoise", "SamplerCustomAdvanced", "VAEDecode", "VAEEncode", "ComfySwitchNode"),
    *CUSTOM.nodes,
]
START = [
    *(
        "EmptyImage",
        "CheckpointLoaderSimple",
        "UNETLoader",
        "CLIPLoader",
        "EmptyLatentImage",
        "CLIPTextEncode",
    ),
    *("KSampler", "VAEDecode", "LoaderAfterImage"),
]
KNOWN = CATALOGUE.merged(CUSTOM)
LINKED = {"MODEL", "CLIP", "VAE", "LATENT", "CONDITIONING", "IMAGE", "GUIDER", "SIGMAS", "SAMPLER", "NOISE"}
VALUES = {"unet_name": "wan_high_noise.safetensors", "ckpt_name": "a.safetensors", "type": "flux"}


@st.composite
def random_graphs(draw):
    """Any acyclic wiring of well-typed nodes, with custom loaders that depend on other nodes."""
    graph, slots = {"save": node("SaveImage", images=["start", 0], filename_prefix="x")}, {}
    classes = [*START, *draw(st.lists(st.sampled_from(POOL), min_size=3, max_size=24))]
    for at, class_type in enumerate(classes):
        inputs, node_id = {}, str(at) if at else "start"
        for name, wanted in KNOWN.get(class_type).inputs.items():
            kinds = [
                kind for kind in LINKED if kind in wanted.types or wanted.type in {"*", "COMFY_MATCHTYPE_V3"}
            ]
            givers = sorted(slot for kind in kinds for slot in slots.get(kind, ()))
            if givers and (wanted.required or draw(st.booleans())):
                inputs[name] = list(draw(st.sampled_from(givers)))
            elif not kinds:
                inputs[name] = VALUES.get(name, wanted.default)
        graph[node_id] = node(class_type, **inputs)
        for slot, kind in enumerate(KNOWN.get(class_type).outputs):
            slots.setdefault(kind, []).append((node_id, slot))
    return graph


NAMES = ("fox.safetensors", "snow_high_noise.safetensors", "wan-low.safetensors", "dir\\ink.safetensors")
LORAS = st.lists(
    st.builds(
        LoraUse,
        name=st.sampled_from(NAMES),
        strength=st.floats(-100, 100),
        strength_clip=st.none() | st.floats(-100, 100),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=random_graphs(), loras=LORAS)
def test_no_link_of_any_graph_dangles_or_goes_round_after_any_loras(graph, loras):
    untouched = json.dumps(graph)
    check_links(graph, KNOWN)
    if not lora_sources(graph, KNOWN, None):
        with pytest.raises(BadRequest):
            with_loras(graph, loras, KNOWN)
        return

    patched = with_loras(graph, loras, KNOWN)

    check_links(patched, KNOWN)
    assert json.dumps(graph) == untouched
    assert_all_behind(graph, patched, loras, KNOWN)


@settings(max_examples=60, deadline=None)
@given(loras=LORAS, name=st.sampled_from(WITH_MODEL))
def test_the_loras_of_a_graph_put_them_there_again(loras, name):
    graph = GRAPHS[name]
    before = Counter(loras_of(graph, CATALOGUE))

    read = Counter(loras_of(with_loras(graph, loras, CATALOGUE), CATALOGUE))
    again = with_loras(graph, tuple((read - before).elements()), CATALOGUE)

    assert Counter(loras_of(again, CATALOGUE)) == read
    assert {use.name for use in read - before} == {use.name for use in loras}
