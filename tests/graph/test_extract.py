"""What made a picture is read out of its graph: the main sampler's settings, the prompts, the LoRAs."""

import copy

import pytest
from accepted_graphs import accepted_graphs, bundled_graphs

from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.extract import Extracted, loras_of, workflow_values
from comfygen_mcp.graph.lora import with_loras
from comfygen_mcp.models import LoraUse

CATALOGUE = shipped_catalogue()
ACCEPTED = accepted_graphs()
BUNDLED = bundled_graphs(CATALOGUE)

EXPECTED = """
flux1_dev_lora_modelonly | flux1-dev | - | 20 | 1.0 | euler | simple | 1.0 | 1024x1024 | -
flux1_dev_txt2img | flux1-dev | - | 20 | 1.0 | euler | simple | 1.0 | 1024x1024 | -
flux1_fill_inpaint | flux1-fill-dev | - | 20 | 1.0 | euler | normal | 1.0 | - | -
flux1_kontext_edit | flux1-dev-kontext_fp8_scaled | - | 20 | 1.0 | euler | simple | 1.0 | - | -
flux1_schnell_fp8_checkpoint | flux1-schnell-fp8 | NEG | 4 | 1.0 | euler | simple | 1.0 | 1024x1024 | -
flux1_schnell_modelsamplingflux_samplercustom | flux1-sch | - | 4 | - | euler | simple | 1.0 | 1024x1024 | -
flux1_schnell_txt2img | flux1-schnell | - | 4 | 1.0 | euler | simple | 1.0 | 1024x1024 | -
flux2_dev_edit | flux2_dev_fp8mixed | - | 20 | - | euler | - | - | - | -
flux2_dev_turbo_lora_txt2img | flux2_dev_fp8mixed | - | 8 | - | euler | - | - | 1024x1024 | -
flux2_dev_txt2img | flux2_dev_fp8mixed | - | 20 | - | euler | - | - | 1024x1024 | -
flux2_klein_4b_base_edit | flux-2-klein-base-4b-fp8 | "" | 20 | 5.0 | euler | - | - | - | -
flux2_klein_4b_base_txt2img | flux-2-klein-base-4b | "" | 20 | 5.0 | euler | - | - | 1024x1024 | -
flux2_klein_4b_distilled_edit | flux-2-klein-4b-fp8 | - | 4 | 1.0 | euler | - | - | - | -
flux2_klein_4b_distilled_txt2img | flux-2-klein-4b | - | 4 | 1.0 | euler | - | - | 1024x1024 | -
ltxv_2b_i2v | ltx-video-2b-v0.9.5 | low | 30 | 3.0 | euler | - | - | 768x512 | 97
ltxv_2b_t2v | ltx-video-2b-v0.9 | low | 30 | 3.0 | euler | - | - | 768x512 | 97
qwen_image_2512_lightning4 | qwen_image_2512_fp8 | NEG | 4 | 1.0 | euler | simple | 1.0 | 1328x1328 | -
qwen_image_2512_txt2img | qwen_image_2512_fp8 | NEG | 50 | 4.0 | euler | simple | 1.0 | 1328x1328 | -
qwen_image_edit_2509_lightning4 | qwen_image_edit_2509_fp8 | "" | 4 | 1.0 | euler | simple | 1.0 | - | -
qwen_image_edit_2511 | qwen_image_edit_2511_fp8mixed | "" | 40 | 4.0 | euler | simple | 1.0 | - | -
qwen_image_edit_2511_lightning4 | qwen_image_edit_2511_fp8mixed | "" | 4 | 1.0 | euler | simple | 1.0 | - | -
qwen_image_edit_v1 | qwen_image_edit_fp8 | "" | 20 | 2.5 | euler | simple | 1.0 | - | -
qwen_image_txt2img | qwen_image_fp8 | "" | 20 | 4.0 | euler | simple | 1.0 | 1328x1328 | -
sd15_hires_fix_latentupscale | v1-5-pruned | NEG | 12 | 8.0 | dpmpp_sde | normal | 1.0 | 512x512 | -
sd15_img2img | v1-5-pruned | NEG | 20 | 8.0 | dpmpp_2m | normal | 0.87 | - | -
sd15_inpaint_separate_mask | v1-5-pruned | NEG | 20 | 8.0 | euler | normal | 0.8 | - | -
sd15_inpaint_setlatentnoisemask | v1-5-pruned | NEG | 20 | 8.0 | euler | normal | 0.8 | - | -
sd15_inpaint_vaeencodeforinpaint | v1-5-pruned | NEG | 20 | 8.0 | uni_pc_bh2 | normal | 1.0 | - | -
sd15_txt2img | v1-5-pruned | NEG | 20 | 8.0 | euler | normal | 1.0 | 512x512 | -
sd15_txt2img_2loras | v1-5-pruned | NEG | 20 | 8.0 | euler | normal | 1.0 | 512x512 | -
sd35_checkpoint_txt2img | sd3.5_medium_incl | NEG | 20 | 4.01 | euler | sgm_uniform | 1.0 | 1024x1024 | -
sd35_medium_split_tripleclip | sd3.5_medium | NEG | 20 | 4.01 | euler | sgm_uniform | 1.0 | 1024x1024 | -
sdxl_base_refiner | sd_xl_base_1.0 | NEG | 25 | 8.0 | euler | normal | - | 1024x1024 | -
sdxl_turbo | sd_xl_turbo_1.0_fp16 | NEG | 1 | 1.0 | euler_ancestral | - | 1.0 | 512x512 | -
sdxl_txt2img | sd_xl_base_1.0 | NEG | 25 | 8.0 | euler | normal | 1.0 | 1024x1024 | -
wan21_t2v_1_3b | wan2.1_t2v_1.3B_fp16 | NEG | 30 | 6.0 | uni_pc | simple | 1.0 | 832x480 | 33
wan22_5b_i2v | wan2.2_ti2v_5B_fp16 | NEG | 20 | 5.0 | uni_pc | simple | 1.0 | 1280x704 | 121
wan22_5b_t2v | wan2.2_ti2v_5B_fp16 | NEG | 20 | 5.0 | uni_pc | simple | 1.0 | 1280x704 | 121
wan22_i2v_14b_full | wan2.2_i2v_high_noise | NEG | 20 | 3.5 | euler | simple | - | 640x640 | 81
wan22_i2v_14b_lightx2v4 | wan2.2_i2v_high_noise | NEG | 4 | 1.0 | euler | simple | - | 640x640 | 81
wan22_t2v_14b_full | wan2.2_t2v_high_noise | NEG | 20 | 3.5 | euler | simple | - | 640x640 | 81
wan22_t2v_14b_lightx2v4 | wan2.2_t2v_high_noise | NEG | 4 | 1.0 | euler | simple | - | 640x640 | 81
z_image_base_txt2img | z_image_bf16 | "" | 25 | 4.0 | res_multistep | simple | 1.0 | 1024x1024 | -
z_image_turbo_txt2img | z_image_turbo_bf16 | - | 8 | 1.0 | res_multistep | simple | 1.0 | 1024x1024 | -
"""
"""Start of the model, of the negative; steps, cfg, sampler, scheduler, denoise, size, frames; `-` is none."""

LORAS = {
    "flux1_dev_lora_modelonly": ["sd15_test_lora.safetensors"],
    "flux2_dev_turbo_lora_txt2img": ["Flux_2-Turbo-LoRA_comfyui.safetensors"],
    "qwen_image_2512_lightning4": ["Qwen-Image-2512-Lightning-4steps-V1.0-fp32.safetensors"],
    "qwen_image_edit_2509_lightning4": ["Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16.safetensors"],
    "qwen_image_edit_2511_lightning4": ["Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors"],
    "sd15_txt2img_2loras": ["sd15_test_lora.safetensors:0.8", "sub/dir/nested_lora.safetensors:0.5"],
    "wan22_i2v_14b_lightx2v4": [
        "wan2.2_i2v_lightx2v_4steps_lora_v1_high_noise.safetensors",
        "wan2.2_i2v_lightx2v_4steps_lora_v1_low_noise.safetensors",
    ],
    "wan22_t2v_14b_lightx2v4": [
        "wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise.safetensors",
        "wan2.2_t2v_lightx2v_4steps_lora_v1.1_low_noise.safetensors",
    ],
}
ONLY_SCALING = {"image_scale_only", "upscale_with_model", "upscale_with_model_then_scale"}


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def expected():
    rows = ([cell.strip() for cell in line.split("|")] for line in EXPECTED.split("\n") if line)
    return {name: cells for name, *cells in rows}


def changed(name, nodes=(), **inputs):
    """Return an accepted graph with inputs changed, `n5_model`, and *nodes* added."""
    graph = copy.deepcopy(ACCEPTED[name])
    graph.update(nodes)
    for key, value in inputs.items():
        node_id, _, input_name = key.removeprefix("n").partition("_")
        graph[node_id]["inputs"][input_name] = value
    return graph


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_settings_of_every_accepted_graph_are_read(name):
    read = workflow_values(ACCEPTED[name], CATALOGUE)

    if name in ONLY_SCALING:
        assert read == Extracted()
        return
    size = f"{read.width}x{read.height}" if read.width else None
    told = (read.steps, read.cfg, read.sampler, read.scheduler, read.denoise, size, read.frames)
    model, negative, *wanted = expected()[name]
    assert ["-" if value is None else str(value) for value in told] == wanted
    assert read.model.startswith(model)
    assert (read.negative is None) is (negative == "-")
    assert (read.negative or "").startswith(negative.strip('-"'))
    assert bool(read.negative) is (negative not in {"-", '""'})
    assert read.prompt == (
        "EDIT INSTRUCTION" if "kontext" in name or "qwen_image_edit" in name else "POSITIVE"
    )
    assert read.seed == 0


def test_the_table_above_holds_every_accepted_graph():
    assert expected().keys() | ONLY_SCALING == ACCEPTED.keys()
    assert len(ACCEPTED) == 47


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_loras_of_every_accepted_graph_are_read_in_their_order(name):
    written = [line.partition(":") for line in LORAS.get(name, ())]

    assert loras_of(ACCEPTED[name], CATALOGUE) == tuple(
        LoraUse(name=lora, strength=float(strength or 1)) for lora, _, strength in written
    )


@pytest.mark.parametrize("name", BUNDLED)
def test_what_fills_a_bundled_workflow_is_read_out_of_it_again(name):
    read = workflow_values(BUNDLED[name], CATALOGUE)

    if not name.startswith("upscale"):
        assert (read.prompt, read.seed) == ("a red fox in snow", 2**64 - 1)
        assert read.negative in {None, "blurry"}
        assert (read.width, read.height) in {(768, 512), (None, None)}
        assert read.model
        assert read.steps
        assert read.sampler


def test_values_come_by_way_of_primitives():
    graph = changed(
        "sd15_txt2img",
        {
            "20": node("SeedNode", seed=2**60),
            "21": node("PrimitiveInt", value=33),
            "22": node("PrimitiveStringMultiline", value="a fox"),
            "23": node("PrimitiveFloat", value=6.5),
            "24": node("PrimitiveBoolean", value=False),
            "25": node("ComfySwitchNode", switch=["24", 0], on_true=["21", 0], on_false=["26", 0]),
            "26": node("PrimitiveInt", value=44),
        },
        n5_seed=["20", 0],
        n5_steps=["25", 0],
        n5_cfg=["23", 0],
        n2_text=["22", 0],
        n4_width=["21", 0],
        n4_height=["26", 0],
    )

    read = workflow_values(graph, CATALOGUE)

    assert (read.seed, read.steps, read.cfg, read.prompt) == (2**60, 44, 6.5, "a fox")
    assert (read.width, read.height) == (33, 44)


@pytest.mark.parametrize(
    "nodes",
    [
        {},
        {"20": node("StringLength", string=["2", 0])},
        {"20": node("ImageToText", image="fox.png")},
        {"20": node("PrimitiveString", value=["20", 0])},
        {"20": node("PrimitiveString", value=7)},
        {"20": node("ComfySwitchNode", switch=["9", 0], on_true="a", on_false="b")},
    ],
    ids=["missing", "computed", "of a file", "going round", "a number", "a switch of unknown state"],
)
def test_a_text_that_only_the_run_can_tell_is_not_told(nodes):
    graph = changed("sd15_txt2img", nodes, n2_text=["20", 0])

    assert workflow_values(graph, CATALOGUE).prompt is None
    assert workflow_values(graph, CATALOGUE).negative == "NEGATIVE"


def test_values_of_the_wrong_kind_and_placeholders_are_not_told():
    graph = changed(
        "sd15_txt2img", n5_steps="${steps}", n5_seed=True, n5_cfg="high", n5_sampler_name=4, n4_width=512.5
    )

    read = workflow_values(graph, CATALOGUE)

    assert (read.steps, read.seed, read.cfg, read.sampler, read.width) == (None, None, None, None, None)
    assert workflow_values(changed("sd15_txt2img", n5_steps=20.0), CATALOGUE).steps == 20


def test_the_prompts_are_found_behind_nodes_that_change_both():
    pose = {
        "20": node("ControlNetLoader", control_net_name="pose.safetensors"),
        "21": node("LoadImage", image="a.png"),
        "22": node(
            "ControlNetApplyAdvanced",
            negative=["23", 0],
            positive=["2", 0],
            control_net=["20", 0],
            image=["21", 0],
        ),
        "23": node("ConditioningCombine", conditioning_1=["3", 0], conditioning_2=["2", 0]),
        "24": node("PrimitiveBoolean", value=True),
        "25": node("ComfySwitchNode", switch=["24", 0], on_false=["3", 0], on_true=["22", 0]),
    }
    graph = changed("sd15_txt2img", pose, n5_positive=["25", 0], n5_negative=["22", 1])

    read = workflow_values(graph, CATALOGUE)

    assert (read.prompt, read.negative) == ("POSITIVE", "NEGATIVE")


def test_the_longest_text_of_an_encoder_with_several_is_the_prompt():
    texts = {"clip_l": "fox", "t5xxl": "a red fox in snow", "guidance": 3.5}
    graph = changed("flux1_dev_txt2img", {"2": node("CLIPTextEncodeFlux", clip=["8", 0], **texts)})
    short = changed(
        "flux1_dev_txt2img", {"2": node("CLIPTextEncodeFlux", clip=["8", 0], clip_l="fox", t5xxl="")}
    )
    other = changed("flux1_dev_txt2img", {"2": node("CLIPTextEncodeHunyuanDiT", clip=["8", 0], bert="fox")})

    assert workflow_values(graph, CATALOGUE).prompt == "a red fox in snow"
    assert workflow_values(short, CATALOGUE).prompt == "fox"
    assert workflow_values(other, CATALOGUE).prompt == "fox"


def test_conditioning_without_a_text_or_in_a_circle_has_no_prompt():
    graph = changed("flux1_dev_txt2img", n11_conditioning=["11", 0])
    bare = changed("flux1_dev_txt2img", {"11": node("SomebodysConditioning")})

    assert workflow_values(graph, CATALOGUE).prompt is None
    assert workflow_values(bare, CATALOGUE).prompt is None


def test_the_main_sampler_is_the_first_one_whose_picture_is_saved():
    graph = ACCEPTED["sd15_txt2img"]
    unsaved = {"0": node("KSampler", **{**graph["5"]["inputs"], "steps": 99}), **graph}

    assert workflow_values(unsaved, CATALOGUE).steps == 20


def test_a_graph_of_unknown_classes_is_read_by_the_names_of_its_inputs():
    graph = changed("sd15_txt2img")
    graph["5"]["class_type"] = "SomebodysSampler"

    assert workflow_values(graph, CATALOGUE) == workflow_values(ACCEPTED["sd15_txt2img"], CATALOGUE)
    assert workflow_values(graph, Catalogue()) == Extracted()


def test_a_schedule_that_is_split_keeps_the_steps_of_its_scheduler():
    nodes = {"20": node("ExtendIntermediateSigmas", sigmas=["15", 0], steps=2, spacing="linear")}
    graph = changed("flux1_schnell_modelsamplingflux_samplercustom", nodes, n5_sigmas=["20", 0])

    read = workflow_values(graph, CATALOGUE)

    assert (read.steps, read.scheduler) == (4, "simple")


def test_a_loader_without_a_file_has_no_model_name():
    graph = changed("sd15_txt2img", {"1": node("CheckpointLoaderSimple", ckpt_name="${model}")})

    assert workflow_values(graph, CATALOGUE).model is None


def test_models_that_go_round_in_a_circle_have_no_file():
    nodes = {"20": node("ModelSamplingSD3", model=["20", 0], shift=3.0)}
    graph = changed("sd15_txt2img", nodes, n5_model=["20", 0])

    assert workflow_values(graph, CATALOGUE).model is None
    assert loras_of(graph, CATALOGUE) == ()


def test_loras_with_their_text_encoder_apart_and_of_custom_packs_are_read():
    stack = node(
        "Power Lora Loader",
        model=["20", 0],
        clip=["20", 1],
        lora_1={"on": True, "lora": "a.safetensors", "strength": 0.4},
        lora_2={"on": False, "lora": "b.safetensors", "strength": 0.4},
        lora_3={"on": True},
    )
    graph = changed("sd15_txt2img_2loras", {"30": stack}, n20_strength_clip=0.1, n21_lora_name="None")
    graph["21"]["inputs"] |= {"model": ["30", 0], "clip": ["30", 1]}

    assert loras_of(graph, CATALOGUE) == (
        LoraUse(name="sd15_test_lora.safetensors", strength=0.8, strength_clip=0.1),
        LoraUse(name="a.safetensors", strength=0.4),
    )


@pytest.mark.parametrize(("state", "names"), [(True, 1), (False, 0)])
def test_a_lora_on_the_unused_side_of_a_switch_is_not_told(state, names):
    nodes = {
        "40": node("PrimitiveBoolean", value=state),
        "41": node("ComfySwitchNode", switch=["40", 0], on_true=["20", 0], on_false=["1", 0]),
    }
    graph = changed("qwen_image_2512_lightning4", nodes, n10_model=["41", 0])

    assert len(loras_of(graph, CATALOGUE)) == names


def test_a_lora_that_nothing_uses_is_not_told():
    graph = changed("sd15_txt2img_2loras", n5_model=["20", 0])

    assert [use.name for use in loras_of(graph, CATALOGUE)] == ["sd15_test_lora.safetensors"]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("wan22_t2v_14b_full", LoraUse(name="fox.safetensors")),
        ("wan22_t2v_14b_full", LoraUse(name="fox.safetensors", target="low")),
        ("wan22_t2v_14b_full", LoraUse(name="fox_low_noise.safetensors", strength=0.5)),
        ("wan22_t2v_14b_full", LoraUse(name="fox_low_noise.safetensors", target="high")),
        ("wan22_t2v_14b_full", LoraUse(name="fox.safetensors", strength=0.5, strength_clip=0.25)),
        ("sdxl_base_refiner", LoraUse(name="fox.safetensors")),
        ("sdxl_base_refiner", LoraUse(name="fox.safetensors", target="refiner")),
    ],
)
def test_a_lora_is_read_with_a_target_only_where_its_name_would_lead_elsewhere(name, use):
    assert loras_of(with_loras(ACCEPTED[name], (use,), CATALOGUE), CATALOGUE) == (use,)
