"""The tools that look: models, presets, generations, jobs, status."""

import json
import uuid
from pathlib import Path

import pytest
from mcp import MCPError
from observe import error_text

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a lighthouse", "model": "sd15", "size": "256x256", "steps": 1}


async def made(client, **changes):
    result = await client.call_tool("generate_image", {**QUICK, **changes})
    return result.structured_content


async def test_list_models_tells_what_is_ready_and_how_to_use_it(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("list_models", {})

    models = {model["name"]: model for model in result.structured_content["models"]}
    assert {
        "flux1-schnell",
        "flux2-klein",
        "flux2-klein-base",
        "sd35-medium",
        "sd15",
        "sdxl",
        "z-image-turbo",
    } <= set(models)
    assert "flux-dev" in models["sd15"]["aliases"]
    assert (models["sd15"]["width"], models["sd15"]["height"]) == (512, 512)
    assert (models["flux1-schnell"]["steps"], models["flux1-schnell"]["distilled"]) == (4, True)
    assert all(model["state"] == "ready" for model in models.values())
    assert all(model["preview_engine"] for model in models.values())
    assert next(iter(models)) == "flux1-schnell"


async def test_list_models_names_the_missing_file_its_folder_and_its_download(
    connect, settings_for, tmp_path_factory
):
    from engine_server import EngineServer

    models = {"checkpoints": ("v1-5-pruned-emaonly-fp16.safetensors",)}
    with EngineServer(tmp_path_factory.mktemp("sparse"), models=models) as sparse:
        async with connect(settings_for(COMFYUI_URL=sparse.url)) as client:
            listed = (await client.call_tool("list_models", {})).structured_content["models"]
            asked = (await client.call_tool("list_models", {"model": "sdxl"})).structured_content["models"]
            ready = (await client.call_tool("list_models", {"ready_only": True})).structured_content["models"]
            chosen = await made(client, model=None)
            refused = error_text(await client.call_tool("generate_image", {**QUICK, "model": "sdxl"}))

    row = next(model for model in listed if model["name"] == "sdxl")
    assert row["state"] == "missing files"
    assert row["missing"][0]["file"] == "sd_xl_base_1.0.safetensors"
    (sdxl,) = asked
    assert sdxl["missing"][0]["folder"] == "checkpoints"
    assert sdxl["missing"][0]["url"].startswith("https://")
    assert ready[0]["name"] == "sd15"
    assert "sdxl" not in {model["name"] for model in ready}
    assert chosen["model"] == "sd15"
    assert "sd_xl_base_1.0.safetensors" in refused
    assert "models/checkpoints/" in refused
    assert sdxl["missing"][0]["url"] in refused


async def test_an_alias_names_the_same_model(connect, settings):
    async with connect(settings) as client:
        view = await made(client, model="flux-dev")

    assert (view["model"], view["workflow"]) == ("sd15", "sd15.json")


async def test_list_presets_holds_the_five_presets_and_the_styles(connect, settings):
    async with connect(settings) as client:
        view = (await client.call_tool("list_presets", {})).structured_content

    presets = {p["name"]: (p["steps"], p["cfg"], p["sampler"], p["scheduler"]) for p in view["presets"]}
    assert presets == {
        "draft": (10, 5.0, "euler", "normal"),
        "balanced": (20, 7.0, "euler_ancestral", "normal"),
        "high-quality": (50, 7.5, "dpmpp_2m_sde", "karras"),
        "fast": (15, 7.0, "dpmpp_2m", "normal"),
        "ultra": (100, 8.0, "dpmpp_2m_sde", "karras"),
    }
    assert all("{prompt}" in style["prompt"] for style in view["styles"])
    assert "text_to_video" in {preset["name"] for preset in view["lora_presets"]}


async def test_a_generation_is_read_back_by_another_server_while_every_comfyui_is_off(
    connect, settings, settings_for
):
    async with connect(settings) as client:
        output = (await made(client))["outputs"][0]
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        read = await client.call_tool("get_generation", {"generation_id": output["generation_id"]})
        resource = await client.read_resource(f"comfygen://generations/{output['generation_id']}")

    view = read.structured_content
    assert view["output"] == output
    assert (view["prompt"], view["steps"], view["kind"]) == ("a lighthouse", 1, "txt2img")
    assert view["graph"] is None
    assert [block.type for block in read.content] == ["text", "image", "resource_link"]
    sidecar = Path(output["path"] + ".json").read_text(encoding="utf-8")
    assert json.loads(resource.contents[0].text) == json.loads(sidecar)


async def test_an_unknown_generation_is_an_error_that_says_what_to_do(connect, settings):
    async with connect(settings) as client:
        nowhere = error_text(await client.call_tool("get_generation", {"generation_id": str(uuid.uuid4())}))
        nonsense = error_text(await client.call_tool("get_generation", {"generation_id": "../../etc/passwd"}))
        with pytest.raises(MCPError) as raised:
            await client.read_resource(f"comfygen://generations/{uuid.uuid4()}")

    assert "generation" in nowhere
    assert "etc/passwd" in nonsense
    assert raised.value.error.code == -32602


async def test_a_corrupt_sidecar_is_named_and_nothing_else_is_lost(connect, settings):
    async with connect(settings) as client:
        output = (await made(client))["outputs"][0]
        sidecar = Path(output["path"] + ".json")
        sidecar.write_text("{ not json", encoding="utf-8")
        text = error_text(
            await client.call_tool("get_generation", {"generation_id": output["generation_id"]})
        )

    assert sidecar.name in text
    assert Path(output["path"]).is_file()


async def test_get_job_without_an_id_lists_recent_jobs_newest_first(connect, settings):
    async with connect(settings) as client:
        older = await made(client)
        newer = await made(client, prompt="a newer lighthouse")
        jobs = (await client.call_tool("get_job", {})).structured_content["jobs"]

    assert [job["job_id"] for job in jobs] == [newer["job_id"], older["job_id"]]


async def test_an_unknown_job_is_an_error_for_every_job_tool(connect, settings):
    async with connect(settings) as client:
        texts = [
            error_text(await client.call_tool(tool, {"job_id": "0192-nope"}))
            for tool in ("get_job", "cancel_job")
        ]

    assert all("0192-nope" in text for text in texts)


async def test_server_status_shows_hosts_backends_and_the_store(connect, settings, engine, tmp_path):
    async with connect(settings) as client:
        view = (await client.call_tool("server_status", {})).structured_content
        quick = (await client.call_tool("server_status", {"probe": False})).structured_content

    assert [host["url"] for host in view["hosts"]] == [engine.url]
    assert view["hosts"][0]["preview_engine"] is True
    assert view["hosts"][0]["device"] == "procedural (no model)"
    assert str(tmp_path / "gallery") in view["store"]
    assert {backend["readiness"]["state"] for backend in view["backends"]} == {"ready"}
    assert quick["hosts"] == []
    assert all(backend["readiness"] is None for backend in quick["backends"])


async def test_server_status_of_a_sleeping_host_gives_the_reason(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        result = await client.call_tool("server_status", {})

    assert not result.is_error
    assert "refused" in result.structured_content["hosts"][0]["error"]
    assert {b["readiness"]["state"] for b in result.structured_content["backends"]} == {"unreachable"}


async def test_a_configured_backend_is_offered_first_and_its_block_tunes_the_workflow(
    connect, tmp_path, engine
):
    from comfygen_mcp.config import load_settings

    (tmp_path / "comfygen.yaml").write_text(
        f"""
default_backend: tuned
backends:
  tuned:
    type: comfyui
    base_url: {engine.url}
    workflow: sd15
    model: v1-5-pruned-emaonly-fp16.safetensors
    default_steps: 3
    default_width: 256
    default_height: 320
  broken:
    type: comfyui
    base_url: {engine.url}
    workflow: no-such-workflow
    model: x.safetensors
  modelless:
    type: comfyui
    base_url: {engine.url}
    workflow: sd15
""",
        encoding="utf-8",
    )
    settings = load_settings(environ={"COMFYGEN_STORE": str(tmp_path / "gallery")}, cwd=tmp_path).settings
    async with connect(settings) as client:
        view = (await client.call_tool("generate_image", {"prompt": "a boat"})).structured_content
        names = [m["name"] for m in (await client.call_tool("list_models", {})).structured_content["models"]]
        status = (await client.call_tool("server_status", {})).structured_content

    assert (view["model"], view["steps"], view["width"], view["height"]) == ("tuned", 3, 256, 320)
    assert names[:3] == ["tuned", "broken", "modelless"]
    errors = {backend["name"]: backend["error"] for backend in status["backends"]}
    assert errors["tuned"] is None
    assert "no-such-workflow" in errors["broken"]
    assert "model: v1-5-pruned-emaonly-fp16.safetensors" in errors["modelless"]


async def test_a_broken_configuration_is_told_by_every_tool(tmp_path):
    from mcp import Client

    from comfygen_mcp.app import open_app
    from comfygen_mcp.config import load_settings
    from comfygen_mcp.server import build_server

    (tmp_path / "comfygen.yaml").write_text("backends:\n\tx: 1\n", encoding="utf-8")

    def open_configured():
        return open_app(load_settings(environ={}, cwd=tmp_path).settings, {})

    async with Client(build_server(open_configured)) as client:
        text = error_text(await client.call_tool("list_models", {}))

    assert "comfygen.yaml" in text
    assert "tab" in text
