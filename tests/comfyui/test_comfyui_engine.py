"""The client against the embedded engine, speaking as ComfyUI 0.33.0 and as 0.3.64."""

import asyncio
import json

import pytest
from comfyui_runs import CHECKPOINT, TRIVIAL, followed, new_id, sampled, until
from engine_faults import VERSIONS

from comfygen_mcp.errors import GraphRejected, JobCancelled, MissingModel

pytestmark = pytest.mark.anyio


async def test_a_picture_is_made_told_and_fetched_with_three_requests_and_one_per_file(
    client_of, shared, tmp_path
):
    server, faults = shared
    client = client_of(server.url)
    prompt_id = new_id()
    faults.seen.clear()
    await client.submit(sampled(prefix=f"comfygen/{prompt_id}/a b"), prompt_id=prompt_id)
    told = await followed(client, prompt_id)
    (remote,) = await client.outputs(prompt_id)
    output = await client.fetch(remote, tmp_path)
    times = await client.timings(prompt_id)

    assert faults.seen == [
        ("WS", "/ws"),
        ("POST", "/prompt"),
        ("GET", f"/history/{prompt_id}"),
        ("GET", "/view"),
    ]
    assert [p.message for p in told if p.step] == [f"step {n}/4" for n in (1, 2, 3, 4)]
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)
    assert output.path.read_bytes().startswith(b"\x89PNG")
    assert times.running_ms is not None


async def test_two_clients_at_once_see_their_own_progress_only(client_of, shared):
    server, _ = shared

    async def run(steps):
        client, prompt_id = client_of(server.url), new_id()
        await client.submit(sampled(steps, seed=steps), prompt_id=prompt_id)
        return await followed(client, prompt_id)

    for steps, told in zip((3, 5), await asyncio.gather(run(3), run(5)), strict=True):
        assert {p.steps for p in told if p.steps} == {steps}


async def test_a_missing_checkpoint_names_the_nearest_installed_one(client_of, shared):
    server, _ = shared
    graph = sampled()
    graph["4"]["inputs"]["ckpt_name"] = "v1-5-pruned-emaonly.safetensors"

    with pytest.raises(MissingModel, match=rf"models/checkpoints/ .*Nearest installed: {CHECKPOINT}"):
        await client_of(server.url).submit(graph, prompt_id=new_id())


async def test_a_wrong_sampler_and_a_wrong_step_count_are_told_together(client_of, shared):
    server, _ = shared
    graph = sampled(steps=0)
    graph["3"]["inputs"]["sampler_name"] = "eular"

    with pytest.raises(GraphRejected) as caught:
        await client_of(server.url).submit(graph, prompt_id=new_id())

    assert "did you mean euler" in str(caught.value)
    assert "Value 0 smaller than min of 1; valid: 1 to 10000" in str(caught.value)


async def test_an_unknown_node_class_is_refused(client_of, shared):
    server, _ = shared

    with pytest.raises(GraphRejected, match="Install the custom node"):
        await client_of(server.url).submit({"1": {"class_type": "Nope", "inputs": {}}}, prompt_id=new_id())


async def test_a_partly_valid_graph_is_refused_and_leaves_nothing_running(client_of, slow):
    server, _ = slow
    client, prompt_id = client_of(server.url), new_id()
    graph = {**sampled(50, seed=9), "10": {"class_type": "SaveImage", "inputs": {"filename_prefix": "bad"}}}

    with pytest.raises(GraphRejected, match="node 10, SaveImage, input images"):
        await client.submit(graph, prompt_id=prompt_id)

    assert prompt_id not in await client.queue()


async def test_a_running_job_is_cancelled_and_its_follower_told(client_of, slow):
    server, _ = slow
    client, prompt_id = client_of(server.url), new_id()
    await client.submit(sampled(200, seed=10), prompt_id=prompt_id)
    told = []
    following = asyncio.ensure_future(followed(client, prompt_id, timeout_s=60, into=told))
    await until(lambda: any(p.step for p in told))

    assert await client.cancel(prompt_id) is True
    with pytest.raises(JobCancelled):
        await following
    assert await client.cancel(prompt_id) is False


async def test_a_waiting_job_is_cancelled_without_touching_the_running_one(client_of, slow):
    server, _ = slow
    client, running, waiting = client_of(server.url), new_id(), new_id()
    await client.submit(sampled(12, seed=11), prompt_id=running)
    await client.submit(sampled(12, seed=12), prompt_id=waiting)
    following = asyncio.ensure_future(followed(client, waiting))

    assert await client.cancel(waiting) is True
    with pytest.raises(JobCancelled):
        await following
    assert (await followed(client, running))[-1].fraction == 1.0


async def test_an_engine_says_what_it_is_and_what_it_has(client_of, shared):
    server, _ = shared
    client = client_of(server.url)
    facts = await client.system_stats()

    assert facts.preview_engine
    assert facts.comfyui_version in VERSIONS
    assert CHECKPOINT in await client.models("checkpoints")
    assert (await client.object_info("KSampler"))["input"]["required"]["steps"][0] == "INT"
    assert json.dumps(dict(await client.object_info("NoSuchNode"))) == "{}"
    await client.free()


async def test_an_uploaded_picture_can_be_loaded(client_of, shared):
    server, _ = shared
    client, source = client_of(server.url), new_id()
    await client.submit(TRIVIAL, prompt_id=source)
    await followed(client, source)
    (remote,) = await client.outputs(source)
    picture = (server.folder / "output" / remote.filename).read_bytes()
    name = await client.upload_image(picture, f"{source}.png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    prompt_id = new_id()
    await client.submit(graph, prompt_id=prompt_id)
    await followed(client, prompt_id)

    assert name == f"comfygen/{source}.png"
    assert [file.type for file in await client.outputs(prompt_id)] == ["temp"]
