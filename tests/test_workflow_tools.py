"""list_workflows and run_workflow through an MCP client: any workflow, any graph, any picture with one."""

import json
from pathlib import Path

import httpx
import pytest
from engine_server import EngineServer
from http_service import BEARER, TOKEN, served
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from observe import error_text
from PIL import Image, PngImagePlugin

from comfygen_mcp.app import open_app
from comfygen_mcp.tools.workflows import INPUTS_SHOWN, OPTIONS_SHOWN

pytestmark = pytest.mark.anyio

EDITOR = json.loads((Path(__file__).parent / "data/graph/editor/classic.json").read_text(encoding="utf-8"))
SMALL = {"5.width": 128, "5.height": 128, "3.steps": 1}


def trivial(**node):
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 7}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        **node,
    }


def outputs(result):
    return [Path(output["path"]) for output in result.structured_content["outputs"]]


def size(result):
    with Image.open(outputs(result)[0]) as picture:
        return picture.size


def sidecar(result):
    return json.loads(Path(f"{outputs(result)[0]}.json").read_text(encoding="utf-8"))


@pytest.fixture
async def client(connect, settings):
    async with connect(settings) as connected:
        yield connected


@pytest.fixture
def run(client):
    async def call(**arguments):
        return await client.call_tool("run_workflow", {"preview": "none", **arguments})

    return call


async def test_the_list_tells_kind_and_state_and_names_broken_files(connect, settings_for, engine, tmp_path):
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "mine.json").write_text(json.dumps(trivial()), encoding="utf-8")
    (folder / "drawn.json").write_text(json.dumps(EDITOR["editor"]), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    async with connect(settings) as client:
        result = await client.call_tool("list_workflows", {})

    rows = {row["name"]: row for row in result.structured_content["workflows"]}
    assert (rows["sd15"]["kind"], rows["sd15"]["state"]) == ("txt2img", "ready")
    assert (rows["mine"]["state"], rows["sd15"]["source"]) == ("ready", "bundled")
    assert rows["drawn.json"]["state"] == "broken"
    assert "Export (API)" in rows["drawn.json"]["reason"]
    assert "sd15 (txt2img): ready" in result.content[0].text
    assert result.structured_content["parameters"] == []


async def test_a_workflow_tells_what_can_be_set_with_the_servers_choices(connect, settings_for):
    many = tuple(f"own{n:02}.safetensors" for n in range(OPTIONS_SHOWN + 5))
    with EngineServer(models={"checkpoints": many}) as engine:
        async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
            result = await client.call_tool("list_workflows", {"name": "sd15"})

    known = {entry["name"]: entry for entry in result.structured_content["parameters"]}
    assert known["steps"]["type"] == "integer"
    assert (known["steps"]["minimum"], known["steps"]["maximum"], known["steps"]["default"]) == (1, 10000, 20)
    assert known["prompt"]["required"] is True
    assert known["model"]["options"] == list(many[:OPTIONS_SHOWN])
    assert known["model"]["more_options"] == 5
    assert known["5.denoise"]["default"] == 1.0
    text = result.content[0].text
    assert "sd15 (txt2img): missing files" in text
    assert "steps: integer, default 20, 1 to 10000 - Sampling steps" in text
    assert "own00.safetensors" in text
    assert "and 37 more" in text
    assert "1 input of a node, such as 5.denoise" in text


async def test_of_a_large_workflow_the_first_inputs_are_listed(connect, settings_for, engine, tmp_path):
    empty = trivial()["1"]
    many = {str(at): empty for at in range(10, 30)}
    (tmp_path / "large.json").write_text(json.dumps({**trivial(), **many}), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(tmp_path))
    async with connect(settings) as client:
        result = await client.call_tool("list_workflows", {"name": "large"})

    assert len(result.structured_content["parameters"]) == INPUTS_SHOWN
    assert "84 inputs of nodes" in result.content[0].text


async def test_an_unknown_workflow_is_told_with_the_nearest_ones(client):
    error = await client.call_tool("list_workflows", {"name": "sdxll"})

    assert error.is_error
    assert "Did you mean 'sdxl'" in error_text(error)


async def test_a_named_workflow_runs_with_parameters_and_single_inputs(run):
    result = await run(
        name="sd15",
        params={"prompt": "a fox", "width": "256", "height": 256, "steps": 2, "seed": 7, "5.denoise": 0.9},
    )

    view = result.structured_content
    assert (view["status"], view["seed"], view["steps"]) == ("completed", 7, 2)
    assert size(result) == (256, 256)
    graph = sidecar(result)["graph"]
    assert (graph["5"]["inputs"]["steps"], graph["5"]["inputs"]["denoise"]) == (2, 0.9)


async def test_a_graph_of_ones_own_runs_and_its_inputs_can_be_set(run):
    result = await run(graph=trivial(), params={"1.width": 96, "1.color": "16711680"})

    with Image.open(outputs(result)[0]) as picture:
        assert (picture.size, picture.convert("RGB").getpixel((0, 0))) == ((96, 64), (255, 0, 0))
    assert result.structured_content["workflow"] == "custom.json"


async def test_a_graph_with_placeholders_and_defaults_is_a_template(run):
    graph = {"_workflow_metadata": {"defaults": {"side": 80, "tint": 3, "unused": 1}}, **trivial()}
    graph["1"] = {
        **graph["1"],
        "inputs": {"width": "${side}", "height": "${side}", "batch_size": 1, "color": "${tint}"},
    }

    assert size(await run(graph=graph)) == (80, 80)
    assert size(await run(graph=graph, params={"side": 40})) == (40, 40)


async def test_a_graph_with_two_outputs_stores_both(run):
    second = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "y"}}
    result = await run(graph=trivial(**{"3": second}))

    assert len(outputs(result)) == 2
    assert all(path.is_file() for path in outputs(result))


@pytest.mark.parametrize("name", ["classic", "subgraph", "detours"])
async def test_a_file_of_the_editor_is_converted_and_runs(run, name):
    file = Path(__file__).parent / "data/graph/editor" / f"{name}.json"
    case = json.loads(file.read_text(encoding="utf-8"))
    result = await run(graph=case["editor"])

    assert result.structured_content["status"] == "completed", result.content[0].text
    submitted = {node_id: node["class_type"] for node_id, node in sidecar(result)["graph"].items()}
    assert submitted == {node_id: node["class_type"] for node_id, node in case["graph"].items()}


@pytest.mark.parametrize("form", ["prompt", "workflow"])
async def test_a_picture_that_carries_its_graph_is_run_again(
    run, connect, settings_for, engine, tmp_path, form
):
    info = PngImagePlugin.PngInfo()
    graph = {**EDITOR["graph"], "3": {**EDITOR["graph"]["3"], "is_changed": [float("nan")]}}
    info.add_text(form, json.dumps(graph if form == "prompt" else EDITOR["editor"]))
    Image.new("RGB", (8, 8)).save(tmp_path / "made.png", pnginfo=info)
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))
    async with connect(settings) as client:
        arguments = {"from_image": str(tmp_path / "made.png"), "params": SMALL}
        result = await client.call_tool("run_workflow", arguments)

    assert not result.is_error, result.content[0].text
    assert size(result) == (128, 128)
    assert "purple galaxy bottle" in result.structured_content["prompt"]


async def test_a_stored_generation_is_run_again_from_its_record(run):
    first = await run(graph=trivial())
    again = await run(
        from_image=first.structured_content["outputs"][0]["generation_id"], params={"1.height": 32}
    )

    assert size(again) == (64, 32)


async def test_a_stored_picture_that_lost_its_graph_is_run_again_from_its_record(run):
    first = await run(graph=trivial())
    Image.new("RGB", (8, 8)).save(outputs(first)[0])
    again = await run(from_image=first.structured_content["outputs"][0]["generation_id"])

    assert not again.is_error, again.content[0].text
    assert size(again) == (64, 64)


LOADING = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    "3": {"class_type": "LoadImage", "inputs": {"image": "${second}"}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "y"}},
}


async def test_pictures_of_the_caller_are_sent_to_any_input_for_uploads(
    connect, settings_for, engine, tmp_path
):
    Image.new("RGB", (40, 30), (255, 0, 0)).save(tmp_path / "red.png")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))
    async with connect(settings) as client:
        blue = (await client.call_tool("run_workflow", {"graph": trivial()})).structured_content
        params = {"1.image": str(tmp_path / "red.png"), "second": blue["outputs"][0]["generation_id"]}
        result = await client.call_tool("run_workflow", {"graph": LOADING, "params": params})

    assert not result.is_error, result.content[0].text
    assert size(result) == (40, 30)
    record = sidecar(result)
    assert record["graph"]["1"]["inputs"]["image"].startswith("comfygen/")
    assert [file["placeholder"] for file in record["job"]["inputs"]] == ["1.image", "second"]
    assert record["parent_id"] == blue["outputs"][0]["generation_id"]


async def test_a_picture_fills_the_placeholders_of_a_named_workflow(connect, settings_for, engine, tmp_path):
    Image.new("RGB", (256, 192), (255, 0, 0)).save(tmp_path / "red.png")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))
    params = {"prompt": "a fox", "image": str(tmp_path / "red.png"), "steps": 1}
    async with connect(settings) as client:
        painted = await client.call_tool("run_workflow", {"name": "sd15-img2img", "params": params})
        masked = {**params, "mask": str(tmp_path / "red.png")}
        repainted = await client.call_tool("run_workflow", {"name": "sd15-inpaint", "params": masked})

    assert size(painted) == (256, 192)
    assert {file["placeholder"] for file in sidecar(repainted)["job"]["inputs"]} == {"image", "mask"}


async def test_a_file_that_the_server_has_already_is_not_looked_for_here(run, engine):
    with Path(engine.folder, "input", "there.png").open("wb") as file:
        Image.new("RGB", (24, 16)).save(file, "PNG")
    by_list = await run(graph=LOADING, params={"1.image": "there.png", "second": "there.png [input]"})

    assert size(by_list) == (24, 16)
    assert sidecar(by_list)["job"]["inputs"] == []


async def test_a_dry_run_shows_the_graph_and_sends_nothing(run):
    result = await run(graph=trivial(), params={"1.width": 96}, dry_run=True)

    view = result.structured_content
    assert view["status"] == "planned"
    assert view["plan"]["graph"]["1"]["inputs"]["width"] == 96
    assert view["plan"]["problems"] == []
    assert view["outputs"] == []


async def test_a_picture_without_a_graph_says_so(run, connect, settings_for, engine, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))
    async with connect(settings) as client:
        error = await client.call_tool("run_workflow", {"from_image": str(tmp_path / "plain.png")})

    assert "'plain.png' carries no ComfyUI graph" in error_text(error)


CIRCLE = {
    "1": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["2", 0]}},
    "2": {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["1", 0]}},
}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "exactly one of name"),
        ({"name": "sd15", "graph": trivial()}, "exactly one of name"),
        ({"graph": {}}, "has no nodes"),
        ({"graph": {"1": 3}}, "must be an object"),
        ({"graph": {"prompt": trivial()}}, "whole /prompt request"),
        ({"graph": trivial(**CIRCLE)}, "round in a circle"),
        ({"graph": {"1": trivial()["1"]}}, "no output node"),
        ({"graph": trivial(**{"3": {"class_type": "EmptyImag", "inputs": {}}})}, "Did you mean 'EmptyImage'"),
        ({"graph": {str(at): trivial()["1"] for at in range(5000)}}, "5000 nodes; at most 2000"),
        ({"graph": {"nodes": [{"id": 1, "type": "X"}] * 5000}}, "5000 nodes; at most 2000"),
        (
            {"graph": {"nodes": [{"id": 1, "type": "Nope", "outputs": [{}]}], "links": [[1, 1, 0, 2, 0]]}},
            "Nope",
        ),
        ({"name": "../etc/passwd"}, "not a workflow name"),
        ({"name": "sd15", "params": {"prompt": "x", "prmpt": 1}}, "Did you mean prompt"),
        ({"name": "sd15", "params": {"prompt": "x", "77.steps": 1}}, "no parameter '77.steps'"),
        ({"name": "sd15", "params": {"prompt": "x", "5.stepz": 1}}, "steps"),
        ({"name": "sd15", "params": {"prompt": "x", "steps": "many"}}, "steps='many' is no whole number"),
        ({"name": "sd15", "params": {}}, "prompt is empty"),
    ],
)
async def test_what_cannot_be_run_is_refused_with_the_reason(run, arguments, told):
    error = await run(**arguments)

    assert error.is_error
    assert told in error_text(error)


async def test_many_unknown_nodes_are_told_in_a_few_lines(run):
    strange = {str(at): {"class_type": f"Fancy{at}", "inputs": {}} for at in range(10, 40)}
    error = await run(graph=trivial(**strange))

    assert "30 of the 32 nodes cannot run at" in error_text(error)
    assert "and 20 more nodes" in error_text(error)


async def test_without_a_server_a_graph_is_checked_by_what_is_shipped(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        described = await client.call_tool("list_workflows", {"name": "sd15"})
        planned = await client.call_tool("run_workflow", {"graph": trivial(), "dry_run": True})
        circle = await client.call_tool("run_workflow", {"graph": trivial(**CIRCLE), "dry_run": True})

    assert "sd15 (txt2img): unreachable" in described.content[0].text
    assert planned.structured_content["status"] == "planned"
    assert "round in a circle" in error_text(circle)


@pytest.fixture
def over_http(settings_for, engine):
    """Return a function: settings from the environment → what run_workflow answers a caller over HTTP."""

    async def call(arguments, **environ):
        settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_TOKEN=TOKEN, **environ)
        with served(settings) as service:
            async with (
                httpx.AsyncClient(headers=BEARER, timeout=60) as http,
                Client(streamable_http_client(f"{service.url}/mcp", http_client=http)) as client,
            ):
                return await client.call_tool("run_workflow", {"preview": "none", **arguments})

    return call


async def test_over_http_a_graph_of_ones_own_needs_its_classes_to_be_listed(over_http):
    refused = await over_http({"graph": trivial()})
    partly = await over_http({"graph": trivial()}, COMFYGEN_ALLOWED_NODES="SaveImage")

    assert "not listed: EmptyImage, SaveImage" in error_text(refused)
    assert "allowed_nodes" in error_text(refused)
    assert "not listed: EmptyImage. " in error_text(partly)


@pytest.mark.parametrize(
    "environ",
    [
        {"COMFYGEN_ALLOWED_NODES": "SaveImage,EmptyImage"},
        {"COMFYGEN_ALLOWED_NODES": "core"},
        {"COMFYGEN_ALLOW_ANY_NODE": "true"},
    ],
)
async def test_over_http_listed_classes_run(over_http, environ):
    result = await over_http({"graph": trivial()}, **environ)

    assert not result.is_error
    assert result.structured_content["outputs"][0]["download_url"]


async def test_over_http_a_named_workflow_runs_but_lets_nobody_choose_a_class(over_http, tmp_path):
    template = trivial(**{"1": {**trivial()["1"], "class_type": "${which}"}})
    described = {"defaults": {"which": "EmptyImage"}, "kind": "other"}
    mine = {"_workflow_metadata": described, **template}
    (tmp_path / "mine.json").write_text(json.dumps(mine), encoding="utf-8")
    folders = {"COMFYGEN_WORKFLOW_DIRS": str(tmp_path)}

    plain = await over_http({"name": "mine"}, **folders)
    chosen = await over_http({"name": "mine", "params": {"which": "RunMyCode"}}, **folders)
    assert not plain.is_error, plain.content[0].text
    assert "not listed: RunMyCode" in error_text(chosen)


async def test_every_bundled_workflow_passes_the_check_of_the_embedded_engine(settings):
    async with open_app(settings, {}) as app:
        checks = await app.workflows.check_all()

    assert {found.name: found.problems for found in checks if found.verdict != "ok"} == {}
    assert len(checks) > 20
