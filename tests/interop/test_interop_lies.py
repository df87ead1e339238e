"""The suite must be able to fail: each lie of a server makes exactly the checks fail that it concerns."""

import json
import re

import pytest
from interop_lies import Lie, Misheard, Mute, NoSocket, even_when_drawn, first_frame, half, told, white

from comfygen_mcp.interop import jobs
from comfygen_mcp.interop.findings import Check
from comfygen_mcp.interop.graphs import BIG_SEED
from comfygen_mcp.interop.refusals import REFUSALS
from comfygen_mcp.interop.server import NO_SUCH_CLASS

pytestmark = pytest.mark.anyio

PICTURES = {"output: image", "output: batch of 3", "output: odd file name", "output: preview"}
FILES = {"output: animated WebP", "output: MP4", "output: audio", "output: text file"}
LOADED = "upload: same name, other bytes"
REFUSED = {f"error: {refusal.name}" for refusal in REFUSALS}
MODEL = {"model: sampler", "model: LoRA"}
UNLOOKED = {"output: text", "queue: shape", "history: shape", "history: job record"}
JOBS = {"job: events on the socket", "job: cancel while pending", "job: socket dropped midway"}


def failed(report):
    return {verdict.check: verdict.detail for verdict in report.verdicts if verdict.result == "failed"}


def skipped(report):
    return {verdict.check: verdict.detail for verdict in report.verdicts if verdict.result == "skipped"}


async def test_errors_of_another_shape_fail_every_refusal(serve, examine, everything):
    server = serve(told("POST", "/prompt", lambda _: {"detail": "nope"}, status=400))

    report = await examine(server, **everything)

    assert set(failed(report)) == REFUSED
    assert "instead of MissingModel" in failed(report)["error: missing model file"]


async def test_a_server_that_accepts_everything_fails_every_refusal(serve, examine, everything):
    def accept(status, body):
        prompt_id = json.loads(server.layer.posts[-1][1]).get("prompt_id")
        answer = {"prompt_id": prompt_id, "number": 1, "node_errors": {}}
        return (200, json.dumps(answer).encode()) if status == 400 else (status, body)

    server = serve(Lie("POST", "/prompt", accept))

    report = await examine(server, **everything)

    assert set(failed(report)) == {*REFUSED, "error: link to a missing node"}
    assert "accepted a graph that cannot run" in failed(report)["error: missing input"]


async def test_a_lost_history_fails_everything_that_runs(serve, examine, everything):
    report = await examine(serve(told("GET", "/history/", lambda _: {})), **everything)

    assert set(failed(report)) == {
        *(PICTURES | FILES | MODEL | UNLOOKED | JOBS),
        *(LOADED, "error: input that is no picture"),
    }
    assert "gave no picture" in skipped(report)["model: image to image"]


async def test_half_files_fail_every_picture(serve, examine, everything):
    report = await examine(serve(Lie("GET", "/view", half)), **everything)

    # The head of a FLAC tells its length, and is in the first half.
    assert set(failed(report)) == PICTURES | MODEL | FILES - {"output: audio"} | {LOADED}
    assert "no whole picture" in failed(report)["output: image"]
    assert "no whole MP4" in failed(report)["output: MP4"]


async def test_other_pictures_than_asked_for_fail(serve, examine, everything):
    report = await examine(serve(Lie("GET", "/view", white)), **everything)

    assert set(failed(report)) == PICTURES | FILES | MODEL | {LOADED}
    assert "has the colour ffffff" in failed(report)["output: image"]
    assert "is 64x64; the graph makes 256x256" in failed(report)["model: sampler"]


async def test_an_upload_that_replaces_another_fails(serve, examine):
    def overwriting(body):
        return body.replace(b'name="overwrite"\r\n\r\nfalse', b'name="overwrite"\r\n\r\ntrue')

    report = await examine(serve(Misheard("POST", "/upload/image", overwriting)))

    assert set(failed(report)) == {LOADED}
    assert "one is lost" in failed(report)[LOADED]


async def test_an_upload_that_is_stored_again_and_again_fails(serve, examine):
    names = iter(range(100))

    def renamed(body):
        return re.sub(rb'filename="[^"]*"', lambda _: b'filename="%d.png"' % next(names), body)

    report = await examine(serve(Misheard("POST", "/upload/image", renamed)))

    assert set(failed(report)) == {LOADED}
    assert "stored again" in failed(report)[LOADED]


async def test_a_socket_without_events_is_noticed(serve, examine, everything):
    report = await examine(serve(Mute()), **everything)

    assert set(failed(report)) == {"job: events on the socket", "model: sampler"}


async def test_a_server_that_cancels_nothing_is_noticed(serve, examine):
    server = serve(
        Misheard("POST", "/queue", lambda _: b"{}"),
        Misheard("POST", "/interrupt", lambda _: b'{"prompt_id": "nobody"}'),
    )

    report = await examine(server)

    assert set(failed(report)) == {"job: cancel while pending", "job: cancel while running"}
    assert "although it was cancelled" in failed(report)["job: cancel while running"]


async def test_small_lies_fail_one_check_each(serve, examine, everything):
    def short_rows(queue):
        return {key: [row[:2] for row in rows] for key, rows in queue.items()}

    def no_graph(reply):
        return {key: {**entry, "prompt": entry["prompt"][:2]} for key, entry in reply.items()}

    def rounded(body):
        return body.replace(str(BIG_SEED).encode(), b"9007199254740992")

    lies = {
        "versions": told("GET", "/system_stats", lambda r: {**r, "system": {"os": "linux"}}),
        "features": told("GET", "/features", lambda _: {}),
        "catalogue: class by class": told("GET", "/object_info/SaveImage", lambda _: {}),
        "catalogue: models per folder": told("GET", "/models", lambda r: r[1:] if "loras" in r else r),
        "queue: shape": told("GET", "/queue", short_rows),
        "history: shape": told("GET", "/history/", no_graph),
        "history: job record": told("GET", "/api/jobs/", lambda r: {**r, "status": "in_progress"}),
        "output: text": Misheard("POST", "/prompt", lambda body: body.replace(b"na\\u00efve", b"naive")),
        "model: sampler": Misheard("POST", "/prompt", rounded),
    }

    report = await examine(serve(*lies.values()), **everything)

    assert set(failed(report)) == {*lies, "output: text file"}


async def test_other_small_lies_fail_one_check_each(serve, examine, everything):
    def with_one_picture_less(reply):
        for entry in reply.values():
            for output in entry["outputs"].values():
                if len(output.get("images", [])) in {3, 25}:
                    output["images"].pop()
        return reply

    def incomplete(reply):
        return {k: {**entry, "status": {**entry["status"], "completed": False}} for k, entry in reply.items()}

    def never_404(_status, _body):
        return 200, b'["x.safetensors"]'

    lies = {
        "catalogue: class by class": told(
            "GET", f"/object_info/{NO_SUCH_CLASS}", lambda _: {NO_SUCH_CLASS: {"input": {}}}
        ),
        "catalogue: models per folder": Lie("GET", "/models/comfygen-check-no-such-folder", never_404),
        "output: batch of 3": told("GET", "/history/", with_one_picture_less),
        "output: animated WebP": Lie("GET", "/view", first_frame),
        "error: file that is not there": Lie("GET", "/view", lambda s, b: (500 if s == 404 else s, b)),
        "history: shape": told("GET", "/history/", incomplete),
        "model: sampler": Lie("GET", "/view", even_when_drawn),
    }

    report = await examine(serve(*lies.values()), **everything)

    assert set(failed(report)) == {*lies, "job: socket dropped midway", "model: LoRA"}
    assert "24 outputs came" in failed(report)["job: socket dropped midway"]
    assert "batch_00001_.png (image), batch_00002_.png" in failed(report)["output: batch of 3"]


async def test_a_queue_without_its_list_of_waiting_prompts(serve, judge):
    server = serve(told("GET", "/queue", lambda queue: {**queue, "queue_pending": None}))

    shape = await judge(server, Check("shape", jobs.queue_shape))
    cancel = await judge(server, Check("cancel", jobs.cancel_pending))

    assert (shape.result, shape.detail) == ("failed", "/queue has no list queue_pending.")
    assert (cancel.result, cancel.detail) == ("skipped", jobs.TOO_FAST)


async def test_a_proxy_that_passes_no_websocket_is_noticed_and_all_else_is_polled(serve, examine, everything):
    report = await examine(serve(NoSocket()), **everything)

    assert set(failed(report)) == {
        *("job: events on the socket", "job: socket dropped midway", "model: sampler"),
    }
    assert "gives no WebSocket" in failed(report)["job: socket dropped midway"]


async def test_lists_of_nothing_useful_fail_and_what_hangs_on_them_is_skipped(serve, examine):
    report = await examine(
        serve(
            told("GET", "/object_info", lambda r: {name: r[name] for name in r if name == "EmptyImage"}),
            told("GET", "/prompt", lambda _: {}),
        )
    )

    assert set(failed(report)) == {"catalogue: all classes", "queue: shape", "catalogue: class by class"}
    assert "could not be read" in skipped(report)["workflow sd15"]
    assert "could not be read" in skipped(report)["error: link to a missing node"]


async def test_a_workflow_that_the_server_would_refuse_fails(serve, examine):
    def without_euler(classes):
        text = json.dumps(classes)
        return json.loads(text.replace('"euler"', '"other"'))

    report = await examine(serve(told("GET", "/object_info", without_euler)))

    assert "workflow sd15" in failed(report)
    assert "sampler_name='euler' is not a choice" in failed(report)["workflow sd15"]


async def test_a_server_without_features_and_jobs_is_not_failed(serve, examine):
    def absent(_status, _body):
        return 404, b""

    report = await examine(serve(Lie("GET", "/features", absent), Lie("GET", "/api/jobs", absent)))

    assert failed(report) == {}
    assert {"features", "history: job record"} <= set(skipped(report))
