"""Every graph that a real ComfyUI accepted is accepted here too, and runs to its end."""

import io

import pytest
from accepted_graphs import accepted_graphs
from engine_probe import Client, png_bytes
from engine_server import EngineServer
from PIL import Image

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.options import Dialect

GRAPHS = accepted_graphs()
SMALL = {"width": 128, "height": 96, "length": 9, "megapixels": 0.05}
"""Sizes at which every graph is quick; the nodes and their links stay what they are."""
FEWER = {"steps": 4, "start_at_step": 2, "end_at_step": 2}


def small(graph):
    return {node_id: {**node, "inputs": _small_inputs(node["inputs"])} for node_id, node in graph.items()}


def _small_inputs(inputs):
    changed = {
        name: value for name, value in {**SMALL, **FEWER}.items() if isinstance(inputs.get(name), int | float)
    }
    for name in ("start_at_step", "end_at_step"):
        if inputs.get(name) in {0, 10000}:
            del changed[name]
    return {**inputs, **changed}


def files_of(graphs):
    """Return folder → names for every model file that the graphs name."""
    nodes = registry(Dialect(old=False))
    found = {}
    for graph in graphs:
        for node in graph.values():
            for name, value in node["inputs"].items():
                spec = nodes[node["class_type"]].inputs.get(name)
                if spec and spec.folder and spec.folder != "input":
                    found.setdefault(spec.folder, set()).add(value)
    return {folder: tuple(names) for folder, names in found.items()}


@pytest.fixture(scope="module")
def engine():
    with EngineServer(models=files_of(GRAPHS.values())) as server:
        client = Client(server)
        client.upload("example.png", png_bytes((160, 120), (200, 120, 40, 128)))
        client.upload("mask.png", png_bytes((160, 120), (255, 255, 255), "RGB"))
        yield client
        client.close()


@pytest.mark.parametrize("name", GRAPHS)
def test_an_accepted_graph_runs_to_its_end(engine, name):
    reply = engine.post("/prompt", {"prompt": small(GRAPHS[name])}).json()

    assert reply["node_errors"] == {}
    entry = engine.wait(reply["prompt_id"])
    assert entry["status"]["completed"], entry["status"]["messages"][-1]
    (output,) = [node for node in entry["outputs"].values() if "images" in node]
    (file,) = output["images"]
    content = engine.get("/view", params=file).content
    if file["filename"].endswith(".mp4"):
        assert content[4:8] == b"ftyp"
    else:
        assert min(Image.open(io.BytesIO(content)).size) > 16
