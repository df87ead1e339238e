"""What results say where a graph, a host or a workflow is out of the ordinary."""

import json

import pytest
from engine_faults import Faults
from engine_probe import trivial
from engine_server import EngineServer
from observe import error_text

pytestmark = pytest.mark.anyio


async def test_a_size_of_which_the_workflow_names_one_edge_is_that_of_the_picture(
    connect, settings_for, engine, tmp_path
):
    graph = trivial()
    graph["1"]["inputs"] |= {"width": "${width}", "height": 96}
    (tmp_path / "flat.json").write_text(json.dumps(graph), encoding="utf-8")
    async with connect(settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(tmp_path))) as client:
        result = await client.call_tool("run_workflow", {"name": "flat", "params": {"width": 192}})

    assert ": 192x96, seed " in result.content[0].text
    assert "None" not in result.content[0].text


async def test_a_server_that_fails_inside_is_said_to_with_what_to_do(connect, settings_for):
    layers = []

    def wrap(app):
        layers.append(Faults(app))
        return layers[0]

    async def trouble(_app, _scope, _receive, send):
        # The submission is tried once more: it must fail again.
        layers[0].spoil["POST", "/prompt"] = trouble
        await send(
            {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": b"500 Internal Server Error"})

    with EngineServer(wrap=wrap) as server:
        layers[0].spoil["POST", "/prompt"] = trouble
        async with connect(settings_for(COMFYUI_URL=server.url)) as client:
            refused = error_text(await client.call_tool("run_workflow", {"graph": trivial()}))

    assert (
        "the server failed inside while it looked at the graph (HTTP 500: 500 Internal Server Error)"
        in refused
    )
    assert "Its log says why" in refused
    assert "send a smaller graph" in refused


async def test_a_chain_of_two_thousand_nodes_runs(connect, settings):
    chain = {"0": trivial()["1"]}
    chain["0"]["inputs"] |= {"width": 16, "height": 16}
    for number in range(1, 1998):
        chain[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}}
    chain["out"] = {"class_type": "SaveImage", "inputs": {"images": ["1997", 0], "filename_prefix": "x"}}
    async with connect(settings) as client:
        result = await client.call_tool("run_workflow", {"graph": chain, "preview": "none"})

    assert result.structured_content["status"] == "completed"
    assert len(result.structured_content["outputs"]) == 1
