"""Node classes as a server declares them, together with the shipped ones."""

import pytest
from engine_server import EngineServer
from replay_server import ReplayServer, Reply
from test_archive import job_of

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.errors import BadRequest, UnexpectedReply
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.validate import validate
from comfygen_mcp.models import Host

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nodes():
    clients = Clients(ComfyUI)
    yield NodeClasses(clients)
    await clients.aclose()


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


async def test_choices_are_the_servers_and_all_else_is_shipped(nodes):
    with EngineServer(models={"checkpoints": ("mine.safetensors",)}) as engine:
        graph = {"1": node("CheckpointLoaderSimple", ckpt_name="theirs.safetensors")}
        catalogue = await nodes.for_graph(Host(url=engine.url), graph)

    assert catalogue.get("CheckpointLoaderSimple").inputs["ckpt_name"].options == ("mine.safetensors",)
    assert catalogue.get("LoadImage").inputs["image"].upload
    assert [found.type for found in validate(graph, catalogue)] == ["value_not_in_list"]


async def test_a_class_that_the_server_lacks_is_missing_with_the_nearest_name(nodes, engine):
    graph = {"1": node("EmptyImag", width=8), "2": node("TrainLoraNode"), "3": node("${which}")}
    catalogue = await nodes.for_graph(Host(url=engine.url), graph, also=["LoraLoader"])

    problems = {found.node: found.message for found in validate(graph, catalogue)}
    assert "Did you mean 'EmptyImage'?" in problems["1"]
    assert "There is no node class 'TrainLoraNode'" in problems["2"]
    assert "style.safetensors" in catalogue.get("LoraLoader").inputs["lora_name"].options


async def test_strangers_are_asked_about_and_the_shipped_classes_are_believed(nodes):
    declared = {"input": {"required": {"words": ["STRING", {}]}}, "output": ["IMAGE"], "output_node": True}
    routes = {
        ("GET", "/object_info/Fancy Node"): {"Fancy Node": declared},
        ("GET", "/object_info/Gone"): {},
    }
    graph = {"1": node("Fancy Node"), "2": node("Gone"), "3": node("KSampler")}
    async with ReplayServer(routes).serving() as server:
        known = await nodes.known(Host(url=server.url), graph)

        assert {request.path for request in server.requests} == {path for _, path in routes}
    assert known.get("Fancy Node").output_node
    assert "KSampler" in known
    assert "Gone" not in known


async def test_samplers_and_schedulers_are_the_servers(nodes, engine):
    host = Host(url=engine.url)

    assert "euler" in await nodes.options(host, "KSampler", "sampler_name")
    assert await nodes.options(host, "KSampler", "model") == ()
    assert await nodes.options(host, "KSampler", "nothing") == ()
    assert await nodes.options(host, "NoSuchNode", "sampler_name") == ()


async def test_where_nobody_answers_the_refusal_of_the_shipped_classes_counts(nodes):
    workflow = WorkflowLibrary().load("upscale-lanczos", allow_paths=False)
    values = {"image": "a.png", "width": 64, "height": 64}
    (scaling,) = [key for key, found in workflow.graph.items() if found["class_type"] == "ImageScale"]
    job = job_of(values=values, overrides={f"{scaling}.upscale_method": "new"})

    with pytest.raises(BadRequest, match=r"upscale_method='new' does not fit: it is not a choice"):
        await nodes.built(Host(url="http://127.0.0.1:9"), job, workflow)


async def test_not_too_many_questions_are_asked_at_once_and_a_failure_is_told(nodes):
    names = [f"Node{n}" for n in range(30)]
    routes = {("GET", f"/object_info/{name}"): {name: {"output": ["IMAGE"]}} for name in names}
    async with ReplayServer(routes).serving() as server:
        catalogue = await nodes.for_classes(Host(url=server.url), [*names, *names])

        assert all(name in catalogue for name in names)
        assert server.count("GET", "/object_info") == len(names)
        server.routes["GET", "/object_info/Node7"] = Reply(b"boom", status=500)
        with pytest.raises(UnexpectedReply, match="boom"):
            await nodes.for_classes(Host(url=server.url), names)
