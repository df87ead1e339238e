"""`/metrics`: what happened is counted, under names and labels that stay."""

import re

import anyio
import pytest
from http_service import served
from mcp import Client
from observe import jobs_on, wait_until
from prometheus_client.parser import text_string_to_metric_families

from comfygen_mcp import __version__

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a bell", "model": "sd15", "size": "256x256", "steps": 1}


def values(page):
    """Return `name{labels}` → value, histograms without their buckets."""
    return {
        f"{s.name}{{{','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))}}}": s.value
        for family in text_string_to_metric_families(page)
        for s in family.samples
        if not s.name.endswith(("_bucket", "_created"))
    }


async def test_jobs_calls_and_requests_are_counted(settings):
    with served(settings) as running:
        async with Client(f"{running.url}/mcp", mode="legacy") as client:
            await client.call_tool("generate_image", QUICK)
            await client.call_tool("generate_image", {**QUICK, "model": "no-such-model"})
        running.http.get("/health")
        running.http.get("/a/secret/path")
        reply = running.http.get("/metrics")
    found = values(reply.text)

    assert reply.headers["content-type"].startswith("text/plain; version=")
    assert found["comfygen_jobs_total{backend=sd15,status=completed}"] == 1
    assert found["comfygen_job_seconds_count{backend=sd15}"] == 1
    assert found["comfygen_job_seconds_sum{backend=sd15}"] > 0
    assert found["comfygen_tool_calls_total{outcome=ok,tool=generate_image}"] == 1
    assert found["comfygen_tool_calls_total{outcome=error,tool=generate_image}"] == 1
    assert found["comfygen_http_requests_total{method=GET,route=health,status=200}"] == 1
    assert found["comfygen_http_requests_total{method=GET,route=other,status=404}"] == 1
    assert found["comfygen_http_requests_total{method=POST,route=mcp,status=200}"] >= 2
    assert found["comfygen_jobs_active{state=running}"] == 0
    assert found[f"comfygen_build_info{{version={__version__}}}"] == 1
    assert found["process_resident_memory_bytes{}"] > 0
    assert not re.search("secret|bell", reply.text)


async def test_running_and_waiting_jobs_are_seen_while_they_are(settings_for, slow_engine):
    prompt = "two bells in line"
    with served(settings_for(COMFYUI_URL=slow_engine.url)) as running:

        def active():
            found = values(running.http.get("/metrics").text)
            return tuple(found[f"comfygen_jobs_active{{state={s}}}"] for s in ("running", "queued"))

        async with Client(f"{running.url}/mcp") as client:
            long = {**QUICK, "prompt": prompt, "steps": 2000, "wait_s": 0}
            ids = []
            for _ in range(2):
                result = await client.call_tool("generate_image", long)
                ids.append(result.structured_content["job_id"])
                await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
            await wait_until(lambda: active() == (1, 1))
            async with anyio.create_task_group() as group:
                for job_id in ids:
                    group.start_soon(client.call_tool, "cancel_job", {"job_id": job_id})
        found = values(running.http.get("/metrics").text)

    assert found["comfygen_jobs_total{backend=sd15,status=cancelled}"] == 2
    assert found["comfygen_jobs_active{state=running}"] == 0


async def test_a_cancelled_call_is_counted_as_one(settings_for, slow_engine):
    prompt = "a bell nobody waits for"
    with served(settings_for(COMFYUI_URL=slow_engine.url)) as running:
        async with Client(f"{running.url}/mcp") as client, anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "generate_image", {**QUICK, "prompt": prompt, "steps": 2000})
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
            group.cancel_scope.cancel()

        def counted():
            found = values(running.http.get("/metrics").text)
            return found.get("comfygen_tool_calls_total{outcome=cancelled,tool=generate_image}") == 1

        await wait_until(counted)
