"""Captured runs of a real ComfyUI 0.33.0, played back against the client."""

import pytest
from comfyui_runs import followed
from replay_server import ReplayServer, run_routes, run_script, transcript

from comfygen_mcp.comfyui.outputs import RemoteFile
from comfygen_mcp.errors import ExecutionFailed, JobCancelled

pytestmark = pytest.mark.anyio


async def replay(client_of, name):
    """Submit and follow one captured run; return its server, its client and what was told."""
    run = transcript(f"run_{name}")
    prompt_id = run["prompt_response"]["prompt_id"]
    graph = run["history"][prompt_id]["prompt"][2]
    async with ReplayServer(run_routes(run), run_script(run)).serving() as server:
        client = client_of(server.url)
        await client.submit(graph, prompt_id=prompt_id)
        told = await followed(client, prompt_id)
        return server, told, await client.outputs(prompt_id), await client.timings(prompt_id)


async def test_a_captured_sampling_run_is_told_in_order_and_ends_with_its_output(client_of):
    _, told, outputs, times = await replay(client_of, "sd15_2steps_preview_auto_flag")

    assert [p.message for p in told] == [
        "queued",
        "queued",
        "running",
        "sampling",
        "step 1/2",
        "step 2/2",
        "decoding",
        "saving",
        "finished",
    ]
    assert [p.phase for p in told if p.node == "3"] == ["sampling"] * 3
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)
    assert told[-1].fraction == 1.0
    assert outputs == [RemoteFile(node_id="9", filename="t2i_00005_.png")]
    assert (times.queued_ms, times.running_ms) == (2, 34991)


async def test_previews_without_metadata_are_tolerated(client_of):
    _, told, _, _ = await replay(client_of, "sd15_2steps_preview_latent2rgb_noflag")

    assert "step 2/2" in [p.message for p in told]


@pytest.mark.parametrize("name", ["trivial_saveimage", "trivial_previewimage"])
async def test_captured_trivial_runs_end_with_their_file(client_of, name):
    _, told, outputs, _ = await replay(client_of, name)

    assert told[-1].message == "finished"
    assert len(outputs) == 1


async def test_a_fully_cached_run_that_tells_no_node_ends_too(client_of):
    _, told, outputs, _ = await replay(client_of, "trivial_saveimage_identical_resubmit")

    assert [p.phase for p in told] == ["queued", "queued", "running", "saving"]
    assert outputs[0].filename == "abc_00001_.png"


async def test_one_job_needs_three_requests_before_its_files(client_of):
    server, _, _, _ = await replay(client_of, "sd15_2steps_preview_auto_flag")

    assert [(r.method, r.path.split("/")[1]) for r in server.requests] == [
        ("GET", "ws"),
        ("POST", "prompt"),
        ("GET", "history"),
    ]


async def test_a_damaged_model_file_names_node_class_error_and_file_without_server_paths(client_of):
    with pytest.raises(ExecutionFailed) as caught:
        await replay(client_of, "error_zero_byte_unet")

    assert str(caught.value) == (
        "Node 1 (UNETLoader) failed: SafetensorError: Error while deserializing header: header too small. "
        "The model file 'flux1-schnell.safetensors' on the server is damaged or incomplete: "
        "download it again (see docs/models.md)."
    )


async def test_a_run_that_fails_after_one_good_output_has_failed(client_of):
    with pytest.raises(ExecutionFailed, match=r"Node \d+ \(CheckpointLoaderSimple\) failed: SafetensorError"):
        await replay(client_of, "error_one_output_ok_then_fail")


async def test_an_interrupted_run_is_cancelled(client_of):
    with pytest.raises(JobCancelled, match="was interrupted on the ComfyUI server"):
        await replay(client_of, "interrupted")
