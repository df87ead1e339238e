"""A workflow is checked against a server: what that lacks, what it would refuse, what is wrong itself."""

import json
import re
from pathlib import Path

import pytest
from engine_server import EngineServer
from replay_server import ReplayServer, Reply

from comfygen_mcp.app import open_app
from comfygen_mcp.errors import BackendUnreachable, UnexpectedReply
from comfygen_mcp.graph.catalogue import Catalogue, InputSpec, NodeSpec, shipped_catalogue
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.parse import parse_workflow
from comfygen_mcp.models import RequiredFile
from comfygen_mcp.services.workflow_checks import checked

pytestmark = pytest.mark.anyio

SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}


def workflow(metadata=None, **nodes):
    text = json.dumps(
        {"_workflow_metadata": metadata or {}, **{key[1:]: node for key, node in nodes.items()}}
    )
    return parse_workflow(text, file="mine.json")


def empty(**inputs):
    return {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "color": 0, **inputs}}


def with_loader(*installed):
    inputs = {"ckpt_name": InputSpec("COMBO", options=installed)}
    loader = NodeSpec("CheckpointLoaderSimple", inputs, ("MODEL", "CLIP", "VAE"))
    return shipped_catalogue().merged(Catalogue({"CheckpointLoaderSimple": loader}))


def test_a_sound_workflow_is_ok():
    found = checked(
        workflow(_1=empty(width="${width}", batch_size="${batch_size}"), _2=SAVE), shipped_catalogue()
    )

    assert (found.name, found.verdict, found.problems, found.missing) == ("mine", "ok", (), ())


def test_files_that_are_not_installed_are_missing_and_no_fault():
    sd15 = WorkflowLibrary().load("sd15", allow_paths=False)
    found = checked(sd15, with_loader("other.safetensors"))

    assert (found.verdict, found.problems) == ("missing files", ())
    assert found.missing == tuple(file for file in sd15.metadata.requires if file.folder == "checkpoints")
    assert found.missing[0].url
    plain = checked(
        sd15.model_copy(update={"metadata": sd15.metadata.model_copy(update={"requires": ()})}),
        with_loader("x.ckpt"),
    )
    assert plain.missing == (RequiredFile(file=sd15.metadata.defaults["model"], folder="checkpoints"),)


def test_what_a_server_would_refuse_is_a_problem_beside_the_missing_files():
    sd15 = WorkflowLibrary().load("sd15", allow_paths=False)
    changed = {**sd15.metadata.defaults, "sampler": "eulr", "steps": 99999}
    metadata = sd15.metadata.model_copy(update={"defaults": changed})
    found = checked(sd15.model_copy(update={"metadata": metadata}), with_loader("x.safetensors"))

    assert found.verdict == "problems"
    assert any(
        "(KSampler): sampler_name='eulr' is not a choice. Try euler" in text for text in found.problems
    )
    assert any("steps=99999 is above" in text for text in found.problems)
    assert len(found.missing) == 1


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (workflow(_1=empty(color="${tint}"), _2=SAVE), r"\$\{tint\}.*has no value"),
        (workflow(_1=empty()), "no output node"),
        (workflow({"optional": ["tint"]}, _1=empty(color="${tint}"), _2=SAVE), "tint"),
    ],
)
def test_a_workflow_that_cannot_be_filled_or_linked_is_broken(made, told):
    found = checked(made, shipped_catalogue())

    assert found.verdict == "broken"
    assert re.search(told, found.problems[0])


def test_optional_parts_without_a_value_are_left_out_and_pictures_stand_in():
    loader = {"class_type": "LoadImage", "inputs": {"image": "${start}"}}
    scaled = {
        "class_type": "ImageScaleBy",
        "inputs": {"image": ["1", 0], "upscale_method": "area", "scale_by": "${factor}"},
    }
    save = {**SAVE, "inputs": {**SAVE["inputs"], "images": ["2", 0]}}
    made = workflow({"optional": ["factor"]}, _1=loader, _2=scaled, _3=save)

    assert checked(made, shipped_catalogue()).verdict == "ok"


async def test_all_workflows_are_checked_and_broken_files_come_last(settings_for, tmp_path):
    (tmp_path / "odd.json").write_text("{", encoding="utf-8")
    lacking = {"1": {"class_type": "FancyNode", "inputs": {}}, "2": SAVE}
    (tmp_path / "fancy.json").write_text(json.dumps(lacking), encoding="utf-8")
    with EngineServer(models={"checkpoints": ("v1-5-pruned-emaonly-fp16.safetensors",)}) as engine:
        settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(tmp_path))
        async with open_app(settings, {}) as app:
            checks = await app.workflows.check_all()

    verdicts = {found.name: found.verdict for found in checks}
    assert (verdicts["sd15"], verdicts["sdxl"], verdicts["fancy"]) == ("ok", "missing files", "problems")
    assert checks[-1].name == "odd.json"
    assert checks[-1].verdict == "broken"
    assert "line 1" in checks[-1].problems[0]


async def test_a_server_that_is_away_or_none_is_told(settings_for):
    async with open_app(settings_for(COMFYUI_URL="http://127.0.0.1:9"), {}) as app:
        with pytest.raises(BackendUnreachable):
            await app.workflows.check_all()
    html = Reply(b"<html>", type="text/html")
    async with (
        ReplayServer({("GET", "/system_stats"): html}).serving() as other,
        open_app(settings_for(COMFYUI_URL=other.url), {}) as app,
    ):
        with pytest.raises(UnexpectedReply):
            await app.workflows.check_all()


async def test_a_server_of_its_own_leaves_what_it_declared_in_the_cache_folder(settings_for, tmp_path):
    """A real ComfyUI is remembered: here a scripted one, as the engine is asked each time."""
    stats = {"system": {"comfyui_version": "0.33.0"}, "devices": []}
    declared = {"input": {"required": {}}, "output": ["IMAGE"], "output_node": True}
    routes = {
        ("GET", "/system_stats"): stats,
        ("GET", "/object_info/Fancy"): {"Fancy": declared},
    }
    async with ReplayServer(routes).serving() as server:
        settings = settings_for(COMFYUI_URL=server.url, COMFYGEN_CACHE=str(tmp_path / "cache"))
        for _ in range(2):
            async with open_app(settings, {}) as app:
                found = await app.workflows.describe(_fancy_file(tmp_path), any_path=True)
                assert found.row.name == "fancy"
        assert server.count("GET", "/object_info") == 1
    assert [path.suffix for path in (tmp_path / "cache").rglob("*") if path.is_file()] == [".json"]


def _fancy_file(folder: Path):
    file = folder / "fancy.json"
    file.write_text(json.dumps({"1": {"class_type": "Fancy", "inputs": {}}}), encoding="utf-8")
    return str(file)
