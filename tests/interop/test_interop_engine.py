"""The suite against a ComfyUI that does all it should: the embedded engine, in both of its versions."""

import asyncio
import json

import pytest
from comfyui_runs import until
from engine_faults import VERSIONS

from comfygen_mcp.errors import BackendUnreachable, BadRequest
from comfygen_mcp.interop.findings import Check
from comfygen_mcp.interop.graphs import Sampling, sampled, slow
from comfygen_mcp.interop.journal import open_journal
from comfygen_mcp.interop.suite import all_checks

pytestmark = pytest.mark.anyio

FLUX2 = ("flux2-klein", "flux2-klein-base", "flux2-klein-edit", "flux2-klein-base-edit")
NOT_IN_0_3_64 = {*(f"workflow {name}" for name in FLUX2), "history: job record", "output: text file"}
BY_VERSION = dict(zip(VERSIONS, (set(), NOT_IN_0_3_64), strict=True))


def having(report, result):
    return {verdict.check: verdict.detail for verdict in report.verdicts if verdict.result == result}


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_engine_passes_and_keeps_only_the_files_named(serve, examine, everything, version):
    server = serve(comfyui_version=version)

    report = await examine(server, **everything)

    def below(kind):
        folder = server.folder / kind
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    assert having(report, "failed") == {}
    assert set(having(report, "skipped")) == BY_VERSION[version]
    assert report.comfyui_version == version
    assert [v.check for v in report.verdicts] == [c.name for c in all_checks()] + ["left as it was found"]
    assert "2 frames" in having(report, "ok")["output: animated WebP"]
    assert having(report, "ok")["model: LoRA"].endswith("the pixels changed")
    assert below("output") == set(report.outputs)
    assert below("input") == set(report.inputs)
    assert all(file.startswith("comfygen-check/t3st/") for file in (*report.outputs, *report.inputs))
    assert server.engine.queue.remaining == 0
    assert server.engine.queue.history == {}


async def test_what_a_server_lacks_is_named(serve, examine):
    server = serve()
    for name in ("CreateVideo", "SaveAudio", "SaveAudioAdvanced"):
        del server.engine.nodes[name]

    skipped = having(await examine(server), "skipped")

    assert skipped["output: MP4"] == "server has no CreateVideo"
    assert skipped["output: audio"] == "server has neither SaveAudio nor SaveAudioAdvanced"
    assert skipped["workflow wan22-t2v"] == "server has no CreateVideo"


async def test_a_model_that_the_server_does_not_have_is_not_run(serve, examine, everything):
    report = await examine(serve(), **{**everything, "model": "other.safetensors"})

    detail = having(report, "skipped")["model: sampler"]
    assert "server has no 'other.safetensors' in models/checkpoints" in detail
    assert everything["model"] in detail
    assert report.failed is False


async def test_missing_model_files_and_models_not_named_are_reported_and_no_failure(serve, examine):
    server = serve(models={"checkpoints": ("other.safetensors",)})

    report = await examine(server)

    details = having(report, "skipped")
    assert details["model: sampler"] == "not run: no --model FILE was given"
    assert details["model: image to image"] == "not run: no --model FILE was given"
    assert details["model: LoRA"] == "not run: no --model FILE was given"
    found = having(report, "ok")
    assert "not installed: checkpoints/v1-5-pruned-emaonly-fp16.safetensors" in found["workflow sd15"]
    assert "vae/ae.safetensors" in found["workflow flux1-schnell"]
    assert report.failed is False


async def test_the_log_has_every_request_submission_and_verdict(serve, examine, tmp_path):
    server = serve()

    report = await examine(server)

    lines = [json.loads(line) for line in (tmp_path / "check.log").read_text(encoding="utf-8").splitlines()]
    by_kind = {kind: [line for line in lines if line["kind"] == kind] for kind in ("request", "verdict")}
    posted = [line["path"] for line in by_kind["request"] if line["method"] == "POST"]
    assert posted == [path for path, _ in server.layer.posts]
    assert [line["check"] for line in by_kind["verdict"]] == [v.check for v in report.verdicts]
    submitted = [line["prompt_id"] for line in lines if line["kind"] == "submit"]
    assert submitted == [json.loads(b)["prompt_id"] for path, b in server.layer.posts if path == "/prompt"]
    assert (lines[0]["kind"], lines[-1]["kind"]) == ("start", "end")


async def test_a_run_that_is_cut_short_takes_its_prompts_back(serve, examine):
    server = serve()
    begun = asyncio.Event()
    name = "job: events on the socket"
    running = asyncio.ensure_future(
        examine(server, announce=lambda check: begun.set() if check == name else None)
    )
    await begun.wait()
    await until(lambda: server.engine.queue.running)
    prompt_id = server.engine.queue.running.prompt_id

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    interrupted = [json.loads(body) for path, body in server.layer.posts if path == "/interrupt"]
    assert {"prompt_id": prompt_id} in interrupted
    assert server.engine.queue.remaining == 0
    assert server.engine.queue.history == {}


async def test_a_run_that_takes_too_long_fails_and_is_stopped(serve, judge, everything):
    server = serve(step_ms=50)
    graph = sampled(Sampling(checkpoint=everything["model"], prefix="long", steps=1000))

    verdict = await judge(server, Check("long", lambda bench: bench.run(graph)), timeout_s=0.5)

    assert verdict.result == "failed"
    assert "did not finish within 0.5 s" in verdict.detail
    assert server.engine.queue.remaining == 0


async def test_a_check_that_never_ends_fails(serve, judge):
    async def endless(_bench):
        await asyncio.Event().wait()

    verdict = await judge(serve(), Check("endless", endless), timeout_s=0.02)

    assert (verdict.result, verdict.detail) == ("failed", "no end within 0.08 s")


async def test_a_prompt_that_ended_before_it_was_met_has_not_begun(serve, judge):
    async def late(bench):
        prompt_id = await bench.submit(slow(1, parts=1))
        await bench.finish(prompt_id)
        assert await bench.begun(prompt_id) is False
        raise BadRequest("asked and answered")

    verdict = await judge(serve(), Check("late", late))

    assert verdict.detail == "asked and answered"


async def test_a_host_where_nobody_answers_is_no_report(examine, serve):
    server = serve()
    server.__exit__(None, None, None)

    with pytest.raises(BackendUnreachable):
        await examine(server)


def test_a_log_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(BadRequest, match="--log"), open_journal(tmp_path / "file" / "check.log"):
        pass
