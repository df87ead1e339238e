"""When things go wrong around a job: a clear error, and whatever was generated is still there."""

import json
import re
from pathlib import Path

import pytest
from observe import error_text, finished_on

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a lantern", "model": "sd15", "size": "256x256", "steps": 1}


async def test_a_store_that_cannot_be_written_says_where_the_picture_still_lies(
    connect, settings_for, engine, tmp_path
):
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    store = str(tmp_path / "a-file" / "gallery")
    async with connect(settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE=store)) as client:
        text = error_text(await client.call_tool("generate_image", QUICK))

    kept = re.search(r"kept at (\S+\.png)", text)
    assert kept, text
    assert Path(kept[1]).read_bytes().startswith(b"\x89PNG")


async def test_a_store_that_is_read_only_even_for_root_is_a_clear_error(connect, settings_for, engine):
    async with connect(settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE="/proc/comfygen")) as client:
        text = error_text(await client.call_tool("generate_image", QUICK))
        again = (await client.call_tool("list_presets", {})).is_error

    assert "kept at" in text
    assert not again


async def test_a_workflow_in_ui_format_says_how_to_export_the_right_one(
    connect, settings_for, engine, tmp_path
):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "ui.json").write_text(json.dumps({"nodes": [], "links": [], "version": 0.4}), encoding="utf-8")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    async with connect(settings) as client:
        ui = error_text(await client.call_tool("generate_image", {**QUICK, "workflow": "ui"}))
        broken = error_text(await client.call_tool("generate_image", {**QUICK, "workflow": "broken"}))
        others = (await client.call_tool("list_models", {})).structured_content["models"]

    assert "API" in ui
    assert "broken.json" in broken
    assert "sd15" in {model["name"] for model in others}


async def test_a_workflow_with_a_placeholder_nobody_fills_is_refused_before_anything_is_sent(
    connect, settings_for, engine, tmp_path
):
    folder = tmp_path / "mine"
    folder.mkdir()
    bundled = Path(__file__).parent.parent / "workflows" / "sd15.json"
    own = json.loads(bundled.read_text(encoding="utf-8"))
    own["5"]["inputs"]["steps"] = "${stepps}"
    (folder / "typo.json").write_text(json.dumps(own), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    before = finished_on(engine.url)
    async with connect(settings) as client:
        text = error_text(await client.call_tool("generate_image", {"prompt": "x", "workflow": "typo"}))

    assert "${stepps}" in text
    assert "steps" in text.replace("stepps", "")
    assert "'5'" in text
    assert finished_on(engine.url) == before


async def test_a_node_that_raises_is_an_error_with_its_name_and_the_next_job_runs(
    connect, settings_for, engine, tmp_path
):
    folder = tmp_path / "mine"
    folder.mkdir()
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "truncated.png"}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
    }
    (folder / "breaks.json").write_text(json.dumps(graph), encoding="utf-8")
    (engine.folder / "input").mkdir(parents=True, exist_ok=True)
    (engine.folder / "input" / "truncated.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    async with connect(settings) as client:
        text = error_text(await client.call_tool("generate_image", {"prompt": "x", "workflow": "breaks"}))
        after = await client.call_tool("generate_image", QUICK)

    assert "LoadImage" in text
    assert "Node 3 (LoadImage)" in text
    assert str(engine.folder) not in text
    assert not after.is_error
