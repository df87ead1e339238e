"""Other people's prompts run on, whatever the suite does."""

import asyncio
import contextlib
import json

import pytest
from comfyui_runs import new_id, sampled
from interop_lies import told

from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.interop import graphs
from comfygen_mcp.interop.bench import Plan, open_bench
from comfygen_mcp.interop.graphs import Sampling
from comfygen_mcp.interop.journal import open_journal
from comfygen_mcp.interop.suite import left_as_found
from comfygen_mcp.models import Host

pytestmark = pytest.mark.anyio

ACTS = ("/queue", "/interrupt", "/history", "/free")


def older(stats):
    return {**stats, "system": {**stats["system"], "comfyui_version": "0.3.40"}}


async def test_prompts_of_others_are_untouched(serve, examine, everything):
    server = serve(step_ms=20)
    theirs = []
    async with ComfyUI(Host(url=server.url)) as other:

        async def submit():
            theirs.append(new_id())
            await other.submit(sampled(6, seed=len(theirs)), prompt_id=theirs[-1])

        async def keep_busy():
            while True:
                if server.engine.queue.remaining < 2:
                    await submit()
                await asyncio.sleep(0.05)

        await submit()
        await submit()
        busy = asyncio.ensure_future(keep_busy())
        report = await examine(server, **everything)
        busy.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await busy
        for prompt_id in theirs:
            async for _ in other.follow(prompt_id, timeout_s=30):
                pass
        histories = [await other.history(prompt_id) for prompt_id in theirs]

    assert [verdict.check for verdict in report.verdicts if verdict.result == "failed"] == []
    assert len(theirs) > 2
    assert {history.status for history in histories} == {"success"}
    assert report.verdicts[-1].detail.endswith("now")
    assert "prompts of others: 2 at the start" in report.verdicts[-1].detail


async def test_it_names_its_own_prompts_in_everything_that_stops_or_removes(serve, examine):
    server = serve()

    await examine(server)

    ours = {json.loads(body)["prompt_id"] for path, body in server.layer.posts if path == "/prompt"}
    acts = [(path, json.loads(body)) for path, body in server.layer.posts if path in ACTS]
    assert {path for path, _ in acts} == {"/queue", "/interrupt", "/history"}
    for path, body in acts:
        named = {body["prompt_id"]} if path == "/interrupt" else set(body["delete"])
        assert named <= ours
        assert set(body) in ({"prompt_id"}, {"delete"})


async def test_a_server_that_interrupts_whatever_runs_is_never_asked_to(serve, examine):
    server = serve(told("GET", "/system_stats", older))

    report = await examine(server)

    assert "/interrupt" not in {path for path, _ in server.layer.posts}
    (verdict,) = [v for v in report.verdicts if v.check == "job: cancel while running"]
    assert (verdict.result, "older than 0.3.56" in verdict.detail) == ("skipped", True)
    assert report.failed is False


async def test_a_prompt_of_ours_that_still_runs_at_the_end_is_told(serve, everything, tmp_path):
    """On a server that cannot interrupt by id a long prompt of ours is left to end by itself."""
    server = serve(told("GET", "/system_stats", older), step_ms=50)
    graph = graphs.sampled(Sampling(checkpoint=everything["model"], prefix="long", steps=1000))
    plan = Plan(id="t3st")
    with open_journal(tmp_path / "check.log") as journal:
        async with open_bench(Host(url=server.url), plan, journal) as bench:
            await bench.look()
            prompt_id = await bench.submit(graph)
            assert await bench.begun(prompt_id)

            with pytest.raises(ComfygenError, match=f"still in the queue: {prompt_id}"):
                await left_as_found(bench)
