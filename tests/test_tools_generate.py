"""generate_image through the highest door: an MCP client in, a stored file out."""

import base64
import io
import json
from datetime import datetime
from pathlib import Path

import anyio
import pytest
from mcp.types import ImageContent, ResourceLink, TextContent
from observe import error_text, jobs_on, wait_until
from PIL import Image

from comfygen_mcp.tools.attendance import progress_text

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a red fox in snow", "model": "sd15", "size": "256x256", "steps": 2}


def pixels(view):
    with Image.open(view["outputs"][0]["path"]) as picture:
        return picture.tobytes()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_prompt_alone_becomes_a_stored_picture_with_its_recipe(connect, settings, mode):
    async with connect(settings, mode) as client:
        result = await client.call_tool("generate_image", {"prompt": "a red fox in snow"})

    view = result.structured_content
    assert not result.is_error
    assert view["status"] == "completed"
    output = view["outputs"][0]
    picture = Path(output["path"])
    with Image.open(picture) as opened:
        assert opened.size == (view["width"], view["height"]) == (1024, 1024)
        assert opened.text["comfygen_engine"] == "procedural"
    sidecar = json.loads(Path(output["path"] + ".json").read_text(encoding="utf-8"))
    assert sidecar["prompt"] == "a red fox in snow"
    assert sidecar["seed"] == view["seed"] > 0
    assert sidecar["workflow"] == "flux1-schnell.json"
    assert sidecar["minio_url"] == picture.as_uri()
    assert sidecar["id"] == output["generation_id"]
    assert sidecar["sha256"] == output["sha256"]
    assert sidecar["graph"]["31"]["inputs"]["seed"] == view["seed"]
    assert datetime.fromisoformat(sidecar["timestamp"]).tzinfo is not None


async def test_the_result_has_text_a_small_preview_a_link_and_no_bytes_in_its_structure(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("generate_image", QUICK)
        linked = next(block for block in result.content if isinstance(block, ResourceLink))
        read = await client.read_resource(linked.uri)

    text, preview, _ = result.content
    assert isinstance(text, TextContent)
    assert "PREVIEW PICTURE" in text.text
    assert isinstance(preview, ImageContent)
    data = base64.b64decode(preview.data)
    assert len(data) <= 150_000
    with Image.open(io.BytesIO(data)) as small:
        assert max(small.size) <= 768
    stored = Path(result.structured_content["outputs"][0]["path"]).read_bytes()
    assert base64.b64decode(read.contents[0].blob) == stored
    assert read.contents[0].mime_type == "image/png"
    assert linked.size == len(stored)
    assert preview.data not in json.dumps(result.structured_content)
    assert len(json.dumps(result.structured_content)) < 4000
    assert result.structured_content["preview_engine"] is True


async def test_no_preview_is_sent_when_none_is_wanted(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("generate_image", {**QUICK, "preview": "none"})

    assert [block.type for block in result.content] == ["text", "resource_link"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_counts_the_steps_and_only_rises(connect, settings_for, slow_engine, mode):
    told = []

    async def note(progress, total, message):
        told.append((progress, total, message))

    async with connect(settings_for(COMFYUI_URL=slow_engine.url), mode) as client:
        await client.call_tool("generate_image", {**QUICK, "steps": 30}, progress_callback=note)

    values = [progress for progress, _, _ in told]
    assert values == sorted(set(values))
    assert all(total == 100 for _, total, _ in told)
    assert any("/30" in message for _, _, message in told)


async def test_two_requests_with_the_same_seed_give_the_same_pixels_and_another_seed_others(
    connect, settings
):
    async with connect(settings) as client:
        views = [
            (await client.call_tool("generate_image", {**QUICK, "seed": seed})).structured_content
            for seed in (7, 7, 8)
        ]

    first, again, other = (pixels(view) for view in views)
    assert first == again
    assert first != other
    assert views[0]["outputs"][0]["path"] != views[1]["outputs"][0]["path"]


async def test_a_seed_above_what_json_readers_keep_survives_exactly(connect, settings):
    seed = 2**64 - 1
    async with connect(settings) as client:
        result = await client.call_tool("generate_image", {**QUICK, "seed": str(seed)})

    view = result.structured_content
    sidecar = json.loads(Path(view["outputs"][0]["path"] + ".json").read_text(encoding="utf-8"))
    assert (view["seed"], view["seed_text"]) == (seed, str(seed))
    assert (sidecar["seed"], sidecar["seed_text"]) == (seed, str(seed))
    assert sidecar["graph"]["5"]["inputs"]["seed"] == seed


async def test_a_drawn_seed_is_below_the_json_safe_bound_and_has_no_text(connect, settings):
    async with connect(settings) as client:
        view = (await client.call_tool("generate_image", {**QUICK, "seed": 0})).structured_content

    assert 0 < view["seed"] < 2**53
    assert view["seed_text"] is None


async def test_a_job_that_is_not_ready_in_time_is_handed_out_and_found_again(
    connect, settings_for, slow_engine
):
    async with connect(settings_for(COMFYUI_URL=slow_engine.url)) as client:
        handed = await client.call_tool("generate_image", {**QUICK, "steps": 20, "wait_s": 0})
        view = handed.structured_content
        found = await client.call_tool("get_job", {"job_id": view["job_id"], "wait_s": 45})

    assert view["status"] in ("queued", "running")
    assert view["job_id"] in view["next"]
    job = found.structured_content["jobs"][0]
    assert job["status"] == "completed"
    assert Path(job["outputs"][0]["path"]).is_file()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_cancelling_the_call_really_stops_the_job_on_the_host(connect, settings_for, slow_engine, mode):
    prompt = f"a very long job {mode}"
    async with (
        connect(settings_for(COMFYUI_URL=slow_engine.url), mode) as client,
        anyio.create_task_group() as group,
    ):
        group.start_soon(client.call_tool, "generate_image", {**QUICK, "prompt": prompt, "steps": 2000})
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        group.cancel_scope.cancel()
    async with connect(settings_for(COMFYUI_URL=slow_engine.url), mode) as client:
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "cancelled"))
        after = await client.call_tool("generate_image", QUICK)

    assert not after.is_error
    assert not jobs_on(slow_engine.url, prompt, "in_progress")


async def test_cancel_job_stops_the_job_on_the_host_and_says_so(connect, settings_for, slow_engine):
    prompt = "to be stopped by name"
    async with connect(settings_for(COMFYUI_URL=slow_engine.url)) as client:
        arguments = {**QUICK, "prompt": prompt, "steps": 2000, "wait_s": 0}
        job_id = (await client.call_tool("generate_image", arguments)).structured_content["job_id"]
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        cancelled = await client.call_tool("cancel_job", {"job_id": job_id})
        again = await client.call_tool("cancel_job", {"job_id": job_id})

    assert cancelled.structured_content["jobs"][0]["status"] == "cancelled"
    assert "stopped on its host" in cancelled.content[0].text
    assert again.structured_content["jobs"][0]["status"] == "cancelled"
    assert jobs_on(slow_engine.url, prompt, "cancelled")


async def test_a_preset_is_applied_to_a_model_it_was_made_for(connect, settings):
    async with connect(settings) as client:
        view = (
            await client.call_tool(
                "generate_image", {"prompt": "a fox", "model": "sd15", "size": "256x256", "preset": "draft"}
            )
        ).structured_content

    assert (view["steps"], view["cfg"], view["sampler"], view["scheduler"]) == (10, 5.0, "euler", "normal")
    assert view["preset"] == "draft"


async def test_a_preset_is_not_applied_to_a_distilled_model_and_the_result_says_so(connect, settings):
    arguments = {"prompt": "a fox", "model": "flux1-schnell", "size": "256x256", "preset": "ultra"}
    async with connect(settings) as client:
        kept = (await client.call_tool("generate_image", arguments)).structured_content
        forced = (
            await client.call_tool("generate_image", {**arguments, "force_preset": True})
        ).structured_content

    assert (kept["steps"], kept["cfg"]) == (4, 1.0)
    assert any("ultra" in note for note in kept["notes"])
    assert (forced["steps"], forced["cfg"]) == (100, 8.0)


async def test_a_call_beats_the_preset(connect, settings):
    async with connect(settings) as client:
        view = (
            await client.call_tool("generate_image", {**QUICK, "preset": "draft", "cfg": 3.5})
        ).structured_content

    assert (view["steps"], view["cfg"]) == (2, 3.5)


async def test_a_style_wraps_the_prompt(connect, settings):
    async with connect(settings) as client:
        presets = (await client.call_tool("list_presets", {})).structured_content
        style = presets["styles"][0]
        view = (
            await client.call_tool("generate_image", {**QUICK, "style": style["name"]})
        ).structured_content

    assert view["prompt"] == style["prompt"].replace("{prompt}", QUICK["prompt"])
    assert view["style"] == style["name"]


async def test_a_prompt_full_of_template_syntax_arrives_unchanged(connect, settings):
    prompt = 'a sign that says "${seed}" \\ {"7": 1}\n🦊 ${prompt} %date%'
    async with connect(settings) as client:
        view = (await client.call_tool("generate_image", {**QUICK, "prompt": prompt})).structured_content
        recipe = await client.call_tool(
            "get_generation", {"generation_id": view["outputs"][0]["generation_id"], "graph": True}
        )

    graph = recipe.structured_content["graph"]
    assert graph["2"]["inputs"]["text"] == prompt
    assert view["prompt"] == prompt


async def test_sizes_can_be_named_and_follow_the_models_own_rules(connect, settings):
    async with connect(settings) as client:
        wide = (
            await client.call_tool(
                "generate_image", {"prompt": "x", "model": "sdxl", "size": "16:9", "steps": 1}
            )
        ).structured_content
        snapped = (await client.call_tool("generate_image", {**QUICK, "size": "300x302"})).structured_content

    assert wide["width"] / wide["height"] == pytest.approx(16 / 9, rel=0.04)
    assert wide["width"] * wide["height"] == pytest.approx(1024 * 1024, rel=0.1)
    assert (snapped["width"] % 8, snapped["height"] % 8) == (0, 0)
    assert any("300x302" in note for note in snapped["notes"])


BAD_INPUT = {
    "a zero width": ({"width": 0, "height": 512}, "0x512"),
    "a negative height": ({"width": 512, "height": -8}, "-8"),
    "a size below the smallest edge": ({"size": "70x512"}, "70"),
    "a size beyond every model": ({"width": 100_000, "height": 512}, "100000"),
    "a size that is no size": ({"size": "sqare"}, "square"),
    "a megabyte of negative prompt": ({"negative": "x" * 1_000_000}, "negative prompt has 1,000,000"),
    "two models at once": ({"workflow": "sdxl"}, "two different models"),
    "an empty model name": ({"model": ""}, "Unknown model ''"),
    "an empty prompt": ({"prompt": "  "}, "empty"),
    "a megabyte of prompt": ({"prompt": "x" * 1_000_000}, "1,000,000"),
    "a cfg that is no number": ({"cfg": "NaN"}, "nan"),
    "no steps at all": ({"steps": 0}, "steps=0"),
    "an unknown model": ({"model": "sd51"}, "sd15"),
    "an unknown preset": ({"preset": "dratf"}, "draft"),
    "an unknown style": ({"style": "nosuchstyle"}, "nosuchstyle"),
    "an unknown workflow": ({"workflow": "sd16"}, "sd15"),
    "an unknown sampler": ({"sampler": "eulr"}, "euler"),
    "a workflow outside the folders": ({"workflow": "../../etc/passwd"}, "etc/passwd"),
    "an absolute workflow": ({"workflow": "/etc/passwd"}, "/etc/passwd"),
    "a seed that is no number": ({"seed": "lucky"}, "lucky"),
    "a seed that is too large": ({"seed": str(2**64)}, str(2**64)),
    "a misspelt argument": ({"widht": 512}, "width"),
    "too long a wait": ({"wait_s": 600}, "45"),
}


@pytest.mark.parametrize(("change", "named"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
async def test_bad_input_is_refused_with_the_value_and_what_to_use(connect, settings, change, named):
    usual = {k: v for k, v in QUICK.items() if k != "size" or "width" not in change}
    async with connect(settings) as client:
        result = await client.call_tool("generate_image", {**usual, **change})
        jobs = (await client.call_tool("get_job", {})).structured_content["jobs"]

    text = error_text(result)
    assert named in text
    assert len(text) < 2000
    assert "Traceback" not in text
    assert not any(job["outputs"] for job in jobs)


async def test_a_host_that_is_asleep_is_an_error_and_never_a_preview_picture(connect, settings_for, tmp_path):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        result = await client.call_tool("generate_image", QUICK)

    text = error_text(result)
    assert "127.0.0.1:9" in text
    assert "refused" in text
    assert not (tmp_path / "engine").exists()


def test_progress_text_tells_the_time_left_and_stays_short():
    from comfygen_mcp.models import Progress

    assert (
        progress_text(Progress(phase="sampling", message="step 3/8", eta_s=4.2)) == "step 3/8, about 4 s left"
    )
    assert len(progress_text(Progress(phase="sampling", message="x" * 900))) == 200
