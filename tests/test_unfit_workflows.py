"""Workflows of the user that cannot run, or have nothing to do with a request, are said to be so."""

import json

import pytest
from engine_probe import trivial, txt2img
from engine_server import EngineServer
from observe import error_text
from replay_server import ReplayServer, Reply

pytestmark = pytest.mark.anyio

SD15 = "v1-5-pruned-emaonly-fp16.safetensors"


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def prompted():
    """Return a template that takes a prompt."""
    graph = txt2img(size=(64, 64))
    graph["6"]["inputs"]["text"] = "${prompt}"
    return graph


def circular():
    graph = prompted()
    graph["5"] = node("VAEEncode", pixels=["8", 0], vae=["4", 2])
    return graph


def unknown():
    graph = prompted()
    graph["8"] = node("FancyDecode", samples=["3", 0], vae=["4", 2])
    return graph


def endless():
    graph = prompted()
    return graph | {f"n{number}": node("CLIPLoader", clip_name="x") for number in range(5000)}


UNFIT = {"mine": trivial(), "circular": circular(), "unknown": unknown(), "endless": endless()}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A server without a single model file."""
    with EngineServer(tmp_path_factory.mktemp("bare"), models={}) as server:
        yield server


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """A server with one checkpoint."""
    with EngineServer(tmp_path_factory.mktemp("sparse"), models={"checkpoints": (SD15,)}) as server:
        yield server


@pytest.fixture
def with_files(settings_for, tmp_path):
    """Return a function: a server, files by name → settings with a workflow folder that holds them."""

    def settings(server, files):
        folder = tmp_path / "workflows"
        folder.mkdir(exist_ok=True)
        for name, graph in files.items():
            (folder / f"{name}.json").write_text(json.dumps(graph), encoding="utf-8")
        return settings_for(COMFYUI_URL=server.url, COMFYGEN_WORKFLOW_DIRS=str(folder))

    return settings


async def states(client):
    rows = (await client.call_tool("list_workflows", {})).structured_content["workflows"]
    return {row["name"]: row for row in rows}


async def test_a_workflow_that_takes_no_prompt_never_becomes_the_default(connect, with_files, bare):
    async with connect(with_files(bare, {"mine": trivial()})) as client:
        refused = error_text(await client.call_tool("generate_image", {"prompt": "a fox"}))
        named = await client.call_tool("generate_image", {"prompt": "a fox", "model": "mine"})
        rows = (await client.call_tool("list_models", {"task": "text to image"})).structured_content["models"]

    assert "known models for txt2img is completely installed" in refused
    assert named.structured_content["kind"] == "other"
    assert "mine" not in {row["name"] for row in rows}


async def test_a_workflow_that_says_it_makes_pictures_of_text_but_reads_none_is_not_chosen(
    connect, with_files, bare
):
    liar = {**trivial(), "_workflow_metadata": {"kind": "txt2img", "rank": 1}}
    with_picture = prompted()
    with_picture["10"] = node("LoadImage", image="${image}")
    with_picture["5"] = node("VAEEncode", pixels=["10", 0], vae=["4", 2])
    files = {"liar": liar, "with-picture": {**with_picture, "_workflow_metadata": {"rank": 2}}}
    async with connect(with_files(bare, files)) as client:
        refused = error_text(await client.call_tool("generate_image", {"prompt": "a fox"}))

    assert "liar" not in refused
    assert "Nearest to start with: flux1-schnell" in refused


async def test_a_template_with_a_prompt_needs_no_metadata_to_be_chosen(connect, with_files, bare):
    graph = {"1": node("EmptyImage", width=64, height=64, batch_size=1, color=0)}
    graph["2"] = node("SaveImage", images=["1", 0], filename_prefix="x")
    graph["2"]["_meta"] = {"title": "${prompt}"}
    async with connect(with_files(bare, {"plain": graph})) as client:
        made = await client.call_tool("generate_image", {"prompt": "a fox", "dry_run": True})

    assert (made.structured_content["model"], made.structured_content["kind"]) == ("plain", "txt2img")


async def test_circles_unknown_nodes_and_endless_graphs_are_not_ready(connect, with_files, sparse):
    async with connect(with_files(sparse, UNFIT)) as client:
        found = await states(client)
        listed = await client.call_tool("list_models", {"model": "unknown"})
        ready = (await client.call_tool("list_models", {"ready_only": True})).structured_content["models"]

    assert {
        name: found[name]["state"] for name in ("mine", "circular", "unknown", "endless.json", "sd15")
    } == {
        "mine": "ready",
        "circular": "broken",
        "unknown": "missing nodes",
        "endless.json": "broken",
        "sd15": "ready",
    }
    assert found["mine"]["kind"] == "other"
    assert "go round in a circle among: node '3' (KSampler)" in found["circular"]["reason"]
    assert "lacks the node class FancyDecode. Install the node pack there" in found["unknown"]["reason"]
    assert "at most 2000 are run" in found["endless.json"]["reason"]
    assert "missing nodes" in listed.content[0].text
    assert not {"circular", "unknown", "endless"} & {row["name"] for row in ready}


async def test_a_link_that_does_not_fit_is_broken_as_soon_as_the_server_tells(connect, with_files, sparse):
    graph = prompted()
    graph["9"]["inputs"]["images"] = ["3", 0]
    async with connect(with_files(sparse, {"odd": graph})) as client:
        found = await states(client)

    assert found["odd"]["state"] == "broken"
    assert "needs IMAGE" in found["odd"]["reason"]


async def test_a_circle_is_told_while_the_server_is_off(connect, with_files):
    class Off:
        url = "http://127.0.0.1:9"

    async with connect(with_files(Off, UNFIT)) as client:
        found = await states(client)

    assert (found["circular"]["state"], found["unknown"]["state"]) == ("broken", "unreachable")


async def test_a_class_that_the_server_fails_to_tell_about_is_no_reason_against_a_workflow(
    connect, with_files
):
    plain = {"input": {"required": {"images": ["IMAGE"]}}, "output": [], "output_node": True}
    routes = {
        ("GET", "/system_stats"): {"system": {"comfyui_version": "0.33.0"}, "devices": []},
        ("GET", "/object_info/SaveImage"): {"SaveImage": plain},
        ("GET", "/object_info/Breaking"): Reply(b"500 Internal Server Error", status=500, type="text/plain"),
    }
    graph = {"1": node("Breaking"), "2": node("SaveImage", images=["1", 0], filename_prefix="x")}
    async with (
        ReplayServer(routes).serving() as server,
        connect(with_files(server, {"breaking": graph})) as client,
    ):
        found = await client.call_tool("list_models", {"model": "breaking"})

    assert found.structured_content["models"][0]["state"] == "ready"
