"""How long a job may take: a film has its own limit, and a block of the configuration may set another."""

import json

import pytest

from comfygen_mcp.app import open_app
from comfygen_mcp.models_request import GenerateRequest

pytestmark = pytest.mark.anyio

LIMITS = {"COMFYGEN_TIMEOUT_IMAGE_S": "33", "COMFYGEN_TIMEOUT_VIDEO_S": "77"}


@pytest.mark.parametrize(("kind", "limit_s"), [("txt2img", 33), ("txt2video", 77), ("img2video", 77)])
async def test_a_jobs_time_limit_follows_from_the_kind_of_its_workflow(
    tmp_path, settings_for, engine, kind, limit_s
):
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        "_workflow_metadata": {"kind": kind},
    }
    (tmp_path / "grey.json").write_text(json.dumps(graph), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(tmp_path), **LIMITS)
    async with open_app(settings, {}) as app:
        started = await app.generation.start(GenerateRequest(prompt="grey", workflow="grey"))
        job = started.job
        await app.generation.wait(job.id, timeout_s=30)

    assert (job.kind, job.timeout_s) == (kind, limit_s)
