"""One look at a host: however many models are judged in it, the host is asked the same thing once."""

import pytest
from replay_server import ReplayServer

from comfygen_mcp.app import open_app

pytestmark = pytest.mark.anyio

STATS = {"system": {"comfyui_version": "0.33.0"}, "devices": []}


async def test_all_models_are_judged_by_one_answer_per_folder(settings_for):
    routes = {("GET", "/system_stats"): STATS, ("GET", "/models/checkpoints"): ["sd_xl_base_1.0.safetensors"]}
    async with (
        ReplayServer(routes).serving() as server,
        open_app(settings_for(COMFYUI_URL=server.url), {}) as app,
    ):
        offers = app.offers.all()
        states = await app.catalogue.readiness_of_all(offers)

        found = {offer.name: state.state for offer, state in zip(offers, states, strict=True)}
        assert (found["sdxl"], found["sd15"]) == ("ready", "missing files")
        assert server.count("GET", "/system_stats") == 1
        # Once to know, once more before anything is called missing.
        assert server.count("GET", "/models/checkpoints") == 2
