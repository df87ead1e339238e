"""The listing tools over MCP: models, recommendations, LoRAs and presets, with a real engine."""

import json

import pytest
from engine_server import EngineServer
from mcp import Client
from observe import error_text
from safetensors_files import write_safetensors

from comfygen_mcp.graph.lora_strength import STRENGTH_SCALE

pytestmark = pytest.mark.anyio

LIST_BUDGET = 20_000
"""Bytes of the list of all bundled models: it is read by models, and tokens cost."""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stocked")
    loras = folder / "models" / "loras"
    tags = json.dumps({"10_ohwx": {"ohwx": 10, "blue coat": 6, "rare": 1}})
    kohya = {"ss_base_model_version": "sdxl_base_v1-0", "ss_tag_frequency": tags}
    write_safetensors(loras / "sdxl" / "ohwx.safetensors", kohya)
    spec = {"modelspec.architecture": "flux-1-dev/lora", "modelspec.title": "Old\nfilm"}
    write_safetensors(loras / "film.safetensors", spec)
    write_safetensors(loras / "Qwen-Image-Lightning-4steps-V1.0.safetensors")
    write_safetensors(loras / "wan2.2_walk_high_noise.safetensors")
    (loras / "empty.safetensors").touch()
    checkpoints = ("v1-5-pruned-emaonly-fp16.safetensors", "sd_xl_base_1.0.safetensors")
    with EngineServer(folder, models={"checkpoints": checkpoints}) as server:
        yield server


@pytest.fixture
async def client(connect, settings_for, stocked):
    async with connect(settings_for(COMFYUI_URL=stocked.url)) as connected:
        yield connected


async def rows(client, tool, **arguments):
    content = (await client.call_tool(tool, arguments)).structured_content
    return {row["name"]: row for row in content[tool.removeprefix("list_")]}


async def test_list_loras_tells_base_strength_stage_and_trigger_words(client):
    result = await client.call_tool("list_loras", {})

    found = {row["name"]: row for row in result.structured_content["loras"]}
    typical = "0.6-0.8 typical"
    assert found == {
        "Qwen-Image-Lightning-4steps-V1.0.safetensors": {
            "name": "Qwen-Image-Lightning-4steps-V1.0.safetensors",
            "base": "qwen-image",
            "guessed": True,
            "strength": "exactly 1.0, with 4 steps and cfg 1",
        },
        "empty.safetensors": {"name": "empty.safetensors", "strength": typical},
        "film.safetensors": {
            "name": "film.safetensors",
            "base": "flux1",
            "strength": typical,
            "title": "Old film",
        },
        "sdxl/ohwx.safetensors": {
            "name": "sdxl/ohwx.safetensors",
            "base": "sdxl",
            "strength": typical,
            "trigger_words": ["ohwx", "blue coat"],
        },
        "wan2.2_walk_high_noise.safetensors": {
            "name": "wan2.2_walk_high_noise.safetensors",
            "base": "wan22-14b",
            "guessed": True,
            "strength": typical,
            "stage": "high",
        },
    }
    text = result.content[0].text
    assert "- sdxl/ohwx.safetensors: for sdxl; trigger: ohwx, blue coat" in text
    assert text.count(STRENGTH_SCALE) == 1
    assert 'loras=["name:0.7"]' in text


async def test_list_loras_for_a_model_puts_those_that_fit_first(client):
    result = await client.call_tool("list_loras", {"model": "sdxl"})

    content = result.structured_content
    assert content["architecture"] == "sdxl"
    fits = [(row["name"], row.get("fits")) for row in content["loras"]]
    assert fits[0] == ("sdxl/ohwx.safetensors", True)
    assert fits[1] == ("empty.safetensors", None)
    assert {fit for _, fit in fits[2:]} == {False}
    assert "film.safetensors: for flux1, DOES NOT FIT" in result.content[0].text


async def test_list_loras_is_narrowed_by_words_and_cut_by_a_limit(client):
    found = await rows(client, "list_loras", query="OHWX sdxl")
    cut = await client.call_tool("list_loras", {"limit": 2})
    none = await client.call_tool("list_loras", {"query": "ohwy"})

    assert list(found) == ["sdxl/ohwx.safetensors"]
    assert (cut.structured_content["total"], len(cut.structured_content["loras"])) == (5, 2)
    assert "5 LoRAs" in cut.content[0].text
    assert "the first 2 are shown" in cut.content[0].text
    assert (none.structured_content["total"], none.structured_content["nearest"]) == (
        0,
        ["sdxl/ohwx.safetensors"],
    )
    assert "Nearest: sdxl/ohwx.safetensors" in none.content[0].text


async def test_list_loras_refuses_a_limit_and_a_model_that_are_none(client):
    assert "1 to 200" in error_text(await client.call_tool("list_loras", {"limit": 0}))
    assert "Did you mean 'sdxl'" in error_text(await client.call_tool("list_loras", {"model": "sdxll"}))


async def test_list_loras_of_a_server_without_any_says_how_to_get_one(connect, settings_for, tmp_path):
    with EngineServer(tmp_path / "bare", models={}) as bare:
        async with connect(settings_for(COMFYUI_URL=bare.url)) as client:
            result = await client.call_tool("list_loras", {})

    assert result.structured_content == {"host": bare.url, "total": 0}
    assert "docs/loras.md" in result.content[0].text


async def test_a_lora_installed_a_moment_ago_is_listed(connect, settings_for, tmp_path):
    with EngineServer(tmp_path / "bare", models={}) as bare:
        async with connect(settings_for(COMFYUI_URL=bare.url)) as client:
            before = (await client.call_tool("list_loras", {})).structured_content["total"]
            write_safetensors(bare.folder / "models" / "loras" / "new.safetensors")
            after = await rows(client, "list_loras")

    assert (before, list(after)) == (0, ["new.safetensors"])


async def test_loras_that_an_engine_only_offers_are_listed(connect, settings):
    async with connect(settings) as client:
        found = await rows(client, "list_loras", query="style")

    assert found["style.safetensors"] == {"name": "style.safetensors", "strength": "0.6-0.8 typical"}


async def test_list_models_tells_settings_sizes_memory_licence_and_purpose_in_little_space(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("list_models", {})

    content = result.structured_content
    found = {row["name"]: row for row in content["models"]}
    assert len(json.dumps(content)) <= LIST_BUDGET
    sd15 = found["sd15"]
    assert (sd15["sampler"], sd15["scheduler"], sd15["steps"], sd15["cfg"]) == ("euler", "normal", 20, 8.0)
    assert sd15["sizes"] == "multiples of 8, 128 to 1536, up to 1.6 MP"
    assert {"img2img", "inpaint"} <= set(sd15["also_does"])
    assert sd15["good_for"].startswith("Small GPUs")
    assert (sd15["vram_gb"], sd15["license"]) == ("about 4", "CreativeML Open RAIL-M")
    video = found["wan22-t2v"]
    assert (video["frames"], video["fps"], video["family"]) == (81, 16.0, "wan22")
    assert video["lengths"].startswith("4n+1 frames, up to ")
    assert "sizes" not in found["upscale"]
    assert all(value not in ("", None, [], False) for row in found.values() for value in row.values())
    assert result.content[0].text.count("preview engine") == 1


async def test_list_models_names_missing_files_in_the_text_too(client):
    result = await client.call_tool("list_models", {})

    lines = {line.split(" ")[1]: line for line in result.content[0].text.splitlines() if line[0] == "-"}
    assert "ready - Small GPUs" in lines["sd15"]
    assert "needs " in lines["z-image-turbo"]
    assert "diffusion_models/z_image_turbo_bf16.safetensors" in lines["z-image-turbo"]
    assert "https://" not in result.content[0].text


async def test_one_model_is_told_in_full(client):
    ready = await client.call_tool("list_models", {"model": "flux-dev"})
    missing = await client.call_tool("list_models", {"model": "z-image-turbo"})

    row = ready.structured_content["models"][0]
    assert row["name"] == "sd15"
    assert {"dpmpp_2m", "euler"} <= set(row["samplers"])
    assert {"karras", "normal"} <= set(row["schedulers"])
    assert row["prompt_tips"]
    assert "Its family also does: img2img, inpaint" in ready.content[0].text
    wanted = missing.structured_content["models"][0]["missing"]
    assert all(entry["url"] in missing.content[0].text for entry in wanted)


async def test_a_model_without_sampler_knobs_tells_of_none(client):
    row = (await client.call_tool("list_models", {"model": "upscale"})).structured_content["models"][0]

    assert not {"samplers", "schedulers"} & set(row)


async def test_a_model_on_an_absent_host_is_told_with_the_reason(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        result = await client.call_tool("list_models", {"model": "sd15"})

    row = result.structured_content["models"][0]
    assert (row["state"], row["steps"], "samplers" in row) == ("unreachable", 20, False)
    assert "refused" in result.content[0].text


async def test_a_backend_that_cannot_be_used_is_told_with_the_reason(
    connect, settings_for, stocked, tmp_path
):
    (tmp_path / "comfygen.yaml").write_text(
        f"backends:\n  odd: {{type: comfyui, base_url: '{stocked.url}', workflow: nope, model: x}}\n"
        f"  tuned: {{type: comfyui, base_url: '{stocked.url}', workflow: sdxl, model: my.safetensors}}\n",
        encoding="utf-8",
    )
    async with connect(settings_for()) as client:
        odd = await client.call_tool("list_models", {"model": "odd"})
        tuned = (await rows(client, "list_models"))["tuned"]

    assert "nope" in odd.content[0].text
    assert odd.structured_content["models"][0]["state"] == "broken"
    assert (tuned["workflow"], tuned["configured"], tuned["family"]) == ("sdxl", True, "sdxl")


async def test_a_recommendation_names_the_best_ready_model_and_what_a_better_one_lacks(client):
    result = await client.call_tool("list_models", {"task": "text in images"})

    text = result.content[0].text
    first, other = (
        result.structured_content["models"][0],
        next(row for row in result.structured_content["models"] if row["state"] != "ready"),
    )
    assert first["state"] == "ready"
    assert f"Use {first['name']}: makes pictures from text" in text
    assert f"Not ready: {other['name']}: makes pictures from text; good at " in text
    assert f"models/{other['missing'][0]['folder']}/" in text
    assert any("text" in reason for reason in other["why"])


async def test_a_recommendation_where_nothing_is_ready_says_what_to_install(client):
    result = await client.call_tool("list_models", {"task": "video"})
    ready = await client.call_tool("list_models", {"task": "video", "ready_only": True})

    assert "No model that fits is ready." in result.content[0].text
    assert "https://" in result.content[0].text
    assert ready.structured_content == {"models": []}


@pytest.mark.parametrize(
    "task",
    ["edit a photo", "video", "inpaint", "text in images", "fast", "upscale", "anime", "product photo"],
)
async def test_the_bundled_models_have_one_for_every_usual_task(connect, settings, task):
    async with connect(settings) as client:
        result = await client.call_tool("list_models", {"task": task})

    best = result.structured_content["models"][0]
    assert best["state"] == "ready"
    assert best["why"]
    assert f"Use {best['name']}: " in result.content[0].text


async def test_an_unknown_task_or_model_is_an_error_that_names_the_nearest(client):
    assert "upscale" in error_text(await client.call_tool("list_models", {"task": "upscaaale"}))
    assert "sdxl" in error_text(await client.call_tool("list_models", {"model": "sdxxl"}))


async def test_list_models_says_so_when_none_is_ready(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        result = await client.call_tool("list_models", {"ready_only": True})

    assert result.structured_content == {"models": []}
    assert "ready_only=false" in result.content[0].text


async def test_list_presets_shows_each_lora_preset_with_its_loras(client):
    result = await client.call_tool("list_presets", {})

    found = {row["name"]: row for row in result.structured_content["lora_presets"]}
    assert {"text_to_video", "image_to_video"} <= set(found)
    assert [(use["strength"], use["target"]) for use in found["text_to_video"]["loras"]] == [
        (1.0, "high"),
        (1.0, "low"),
    ]
    assert "4 steps" in found["text_to_video"]["description"]
    assert "- text_to_video: Wan 2.2" in result.content[0].text


async def test_the_schemas_of_the_listing_tools_are_small():
    from comfygen_mcp.server import build_server

    async with Client(build_server(lambda: None)) as client:
        tools = (await client.list_tools()).tools
    wanted = [tool for tool in tools if tool.name in {"list_models", "list_loras", "list_presets"}]
    bare = [json.loads(tool.model_dump_json(by_alias=True, exclude_none=True)) for tool in wanted]
    size = sum(len(json.dumps({k: v for k, v in tool.items() if k != "outputSchema"})) for tool in bare)

    assert len(wanted) == 3
    assert size <= 1126
