"""One look at a host: however many models are judged in it, the host is asked the same thing once."""

import pytest
from replay_server import ReplayServer

from comfygen_mcp.app import open_app
from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.library import WorkflowLibrary

pytestmark = pytest.mark.anyio

STATS = {"system": {"comfyui_version": "0.33.0"}, "devices": []}


def declared(workflow):
    """Return the routes that declare the node classes of a bundled workflow."""
    graph = next(known for known in WorkflowLibrary().all() if known.name == workflow).graph
    specs = [shipped_catalogue().get(node["class_type"]) for node in graph.values()]
    return {
        ("GET", f"/object_info/{spec.class_type}"): {
            spec.class_type: {"output": list(spec.outputs), "output_node": spec.output_node}
        }
        for spec in specs
    }


async def test_all_models_are_judged_by_one_answer_per_folder(settings_for):
    routes = {("GET", "/system_stats"): STATS, ("GET", "/models/checkpoints"): ["sd_xl_base_1.0.safetensors"]}
    routes |= declared("sdxl") | declared("upscale-lanczos")
    async with (
        ReplayServer(routes).serving() as server,
        open_app(settings_for(COMFYUI_URL=server.url), {}) as app,
    ):
        offers = app.offers.all()
        states = await app.catalogue.readiness_of_all(offers)

        found = {offer.name: state.state for offer, state in zip(offers, states, strict=True)}
        assert (found["sdxl"], found["sd15"]) == ("ready", "missing files")
        # sdxl and sdxl-img2img share most of their classes.
        assert server.count("GET", "/object_info/KSampler") == 1
        assert server.count("GET", "/system_stats") == 1
        # Once to know, once more before anything is called missing.
        assert server.count("GET", "/models/checkpoints") == 2
