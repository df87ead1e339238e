"""resolve: a request becomes a job with every blank filled, in the one order of precedence."""

from datetime import UTC, datetime

import pytest

from comfygen_mcp.config import BackendBlock
from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.ids import id_time
from comfygen_mcp.models import SEED_MAX
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.presets import load_presets
from comfygen_mcp.services.offers import Offer
from comfygen_mcp.services.request_checks import parse_seed
from comfygen_mcp.services.resolve import Resolver

NOW = datetime(2026, 11, 21, 8, 41, tzinfo=UTC)
DRAWN = 4242


@pytest.fixture(scope="module")
def library():
    return WorkflowLibrary()


@pytest.fixture
def resolved(library):
    resolver = Resolver(
        presets=load_presets(None),
        timeout_image_s=300,
        timeout_video_s=1800,
        now=lambda: NOW,
        draw=lambda: DRAWN,
    )

    def resolve(workflow="sd15", block=None, **request):
        loaded = library.load(workflow, allow_paths=False)
        offer = Offer(
            name="here",
            aliases=(),
            workflow=loaded.reference,
            block=BackendBlock(**(block or {})),
            configured=True,
            address="http://127.0.0.1:8188",
        )
        return resolver.resolve(GenerateRequest(prompt="a fox", **request), offer, loaded)

    return resolve


def test_a_prompt_alone_takes_everything_from_the_template(resolved):
    job = resolved("sd15")

    assert (job.steps, job.cfg, job.sampler, job.scheduler) == (20, 8.0, "euler", "normal")
    assert (job.width, job.height, job.negative_prompt) == (512, 512, "")
    assert (job.model, job.kind, job.workflow) == (
        "v1-5-pruned-emaonly-fp16.safetensors",
        "txt2img",
        "sd15.json",
    )
    assert (job.timeout_s, job.backend, job.seed) == (300, "here", DRAWN)


@pytest.mark.parametrize(
    ("block", "request_", "steps"),
    [
        ({}, {}, 20),
        ({"default_steps": 11}, {}, 11),
        ({"default_steps": 11}, {"preset": "fast"}, 15),
        ({"default_steps": 11}, {"preset": "fast", "steps": 7}, 7),
    ],
    ids=["template", "block beats template", "preset beats block", "call beats preset"],
)
def test_call_beats_preset_beats_block_beats_template(resolved, block, request_, steps):
    job = resolved("sd15", block=block, **request_)

    assert job.steps == job.values["steps"] == steps


def test_a_block_can_never_shadow_what_the_request_says(resolved):
    job = resolved(
        "sd15", block={"knobs": {"prompt": "evil", "seed": 1, "negative": "evil"}}, negative="blur"
    )

    assert (job.values["prompt"], job.values["negative"], job.values["seed"]) == ("a fox", "blur", DRAWN)


def test_a_block_names_another_model_file(resolved):
    job = resolved("sd15", block={"model": "dreamshaper_8.safetensors"})

    assert job.model == job.values["model"] == "dreamshaper_8.safetensors"


def test_the_klein_base_file_at_four_steps_is_obeyed_with_a_warning(resolved):
    block = {"model": "flux-2-klein-base-4b-fp8.safetensors", "default_steps": 4}
    job = resolved("flux2-klein", block=block)

    assert (job.steps, job.model) == (4, block["model"])
    assert any("base" in note for note in job.notes)


def test_the_id_carries_the_time_of_the_request(resolved):
    job = resolved()

    assert job.created_at == id_time(job.id) == NOW


def test_a_blocks_own_time_limit_wins(resolved):
    assert resolved(block={"timeout_s": 12.5}).timeout_s == 12.5


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, None),
        (0, None),
        (-1, None),
        ("0", None),
        (1, 1),
        ("17", 17),
        (" 17 ", 17),
        (str(SEED_MAX), SEED_MAX),
    ],
)
def test_seeds_are_taken_as_numbers_or_text_and_zero_means_draw_one(given, meant):
    assert parse_seed(given) == meant


@pytest.mark.parametrize("seed", ["", "1.5", "lucky", "0x10", -2, SEED_MAX + 1])
def test_a_seed_that_no_sampler_takes_is_refused_with_its_value(seed):
    with pytest.raises(BadRequest, match="seed="):
        parse_seed(seed)


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"steps": 10_001}, "10001"),
        ({"cfg": float("nan")}, "nan"),
        ({"cfg": float("inf")}, "inf"),
        ({"cfg": 101.0}, "101"),
        ({"style": "wartercolor"}, "watercolor"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_is_sent(resolved, request_, named):
    with pytest.raises(BadRequest) as raised:
        resolved(**request_)

    assert named in str(raised.value)


def test_a_nul_in_the_prompt_is_refused(library, resolved):
    with pytest.raises(BadRequest, match="NUL"):
        Resolver(presets=load_presets(None), timeout_image_s=1, timeout_video_s=1, now=lambda: NOW).resolve(
            GenerateRequest(prompt="a\x00b"),
            Offer(name="x", aliases=(), workflow="sd15", block=BackendBlock(), configured=False, address=""),
            library.load("sd15", allow_paths=False),
        )


def test_an_unknown_preset_names_the_nearest(resolved):
    with pytest.raises(UnknownName, match="balanced"):
        resolved(preset="balance")


def test_a_styles_own_negative_prompt_draws_no_note_but_the_callers_does(resolved):
    styled = resolved("flux1-schnell", style="watercolor")
    asked = resolved("flux1-schnell", negative="blur")

    assert styled.negative_prompt
    assert not [note for note in styled.notes if "negative" in note]
    assert [note for note in asked.notes if "negative" in note]


def test_a_knob_that_the_workflow_does_not_have_is_told_and_not_recorded(resolved):
    job = resolved("flux2-klein", scheduler="karras")

    assert job.scheduler is None
    assert any("scheduler=karras" in note for note in job.notes)


def test_whatever_has_no_effect_is_told(resolved):
    def notes(workflow, **asked):
        return [note for note in resolved(workflow, **asked).notes if "no effect" in note]

    picture = {"values": {"image": "a.png"}}
    prompt = "The prompt has no effect: this workflow has no place for one (no ${prompt})."
    assert notes("sd15", seed=5, size="512x512", cfg=4.0) == []
    assert notes("sd15", scale=2, seconds=3.0) == [
        "seconds=3.0 has no effect: this workflow has no such knob.",
        "scale=2.0 has no effect: this workflow has no such knob.",
    ]
    assert notes("wan22-5b-t2v", seconds=3.0) == []
    assert notes("upscale", scale=2, **picture) == [prompt]
    assert notes("upscale", scale=2, size="512x512", **picture) == [
        prompt,
        "scale=2.0 has no effect: the size that is given decides.",
    ]
    assert notes("flux2-klein-edit", size="512x512", width=512, **picture) == [
        "size=512x512 has no effect: this workflow has no such knob.",
        "width=512 has no effect: this workflow has no such knob.",
    ]


@pytest.mark.parametrize("name", [workflow.name for workflow in WorkflowLibrary().all()])
def test_a_bundled_workflow_has_the_recipe_that_its_graph_has(library, resolved, name):
    values = {"prompt": "a badger", "steps": 5, "seed": 77, "batch_size": 1}
    wanted = placeholders(library.load(name, allow_paths=False).graph)
    pictures = {name: "a.png" for name in ("image", "mask") if name in wanted}
    job = resolved(name, values={**{key: values[key] for key in values if key in wanted}, **pictures})

    if "prompt" in wanted:
        assert (job.prompt, job.steps, job.seed) == ("a badger", 5, 77)
        assert job.model == job.values["model"]
    else:
        assert (job.prompt, job.steps) == ("", None)


def test_drawn_seeds_are_json_safe_and_differ(library):
    resolver = Resolver(presets=load_presets(None), timeout_image_s=1, timeout_video_s=1, now=lambda: NOW)
    offer = Offer(name="x", aliases=(), workflow="sd15", block=BackendBlock(), configured=False, address="")
    workflow = library.load("sd15", allow_paths=False)
    seeds = {resolver.resolve(GenerateRequest(prompt="x"), offer, workflow).seed for _ in range(20)}

    assert len(seeds) == 20
    assert all(0 < seed < 2**53 for seed in seeds)


def test_a_two_stage_model_goes_over_to_its_second_stage_in_proportion_to_the_steps(resolved):
    assert resolved("wan22-t2v").values["split_step"] == 2
    assert resolved("wan22-t2v", steps=8).values["split_step"] == 4
    assert resolved("wan22-t2v-full", steps=4).values["split_step"] == 2
    assert resolved("wan22-t2v-full", steps=10, values={"split_step": 7}).values["split_step"] == 7


def test_a_preset_made_for_sd_leaves_models_of_another_kind_alone(resolved):
    job = resolved("qwen-image", preset="ultra")

    assert (job.steps, job.scheduler) == (resolved("qwen-image").steps, "simple")
    assert any("so it keeps its own steps" in note for note in job.notes)


def test_a_video_keeps_the_models_rule_for_its_length_and_says_so(resolved):
    job = resolved("wan22-5b-t2v", frames=40)

    assert (job.frames, job.fps, job.timeout_s) == (41, 24.0, 1800)
    assert any("frames=40 became 41" in note for note in job.notes)


def test_a_batch_is_given_the_time_of_all_its_pictures(resolved):
    job = resolved("sd15", count=3)

    assert (job.count, job.values["batch_size"], job.timeout_s) == (3, 3, 900)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 0}, "use 1 to 16"),
        ({"count": 17}, "use 1 to 16"),
        ({"denoise": 1.5}, "0.3 for a subtle change"),
        ({"fps": 0}, "use 1 to 120"),
    ],
)
def test_numbers_that_no_workflow_can_use_are_refused(resolved, asked, message):
    with pytest.raises(BadRequest, match=message):
        resolved("sd15", **asked)


def test_a_workflow_that_makes_one_at_a_time_says_so(resolved):
    with pytest.raises(BadRequest, match="wan22-5b-t2v makes one at a time"):
        resolved("wan22-5b-t2v", count=2)
