"""Following a prompt to its end, and every way in which it may end."""

import asyncio
from contextlib import aclosing

import pytest
from comfyui_runs import (
    TRIVIAL,
    accepted,
    event,
    followed,
    history_of,
    new_id,
    queued,
    server_for,
    status,
    until,
)
from replay_server import EMPTY_QUEUE, GREETING, POSTED, ReplayServer, Reply

from comfygen_mcp.errors import ExecutionFailed, JobCancelled

pytestmark = pytest.mark.anyio


async def test_history_that_is_written_after_the_success_event_is_awaited(client_of):
    prompt_id = new_id()
    script = [
        GREETING,
        POSTED,
        event("execution_success", prompt_id),
        event("executing", prompt_id, node=None),
    ]
    late = [{}, {}, {}, history_of(prompt_id)]
    async with server_for(prompt_id, history=late, script=script).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        told = await followed(client, prompt_id)

        assert told[-1].message == "finished"
        assert server.count("GET", "/history") == 4
        assert server.count("GET", "/queue") == 0


async def test_a_run_whose_last_message_never_comes_ends_after_its_result(client_of):
    prompt_id = new_id()
    script = [GREETING, POSTED, event("execution_success", prompt_id), status(0)]
    async with server_for(prompt_id, history=history_of(prompt_id), script=script).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id))[-1].message == "finished"
        assert server.count("GET", "/history") == 1


async def test_the_place_in_the_queue_is_told_while_waiting(client_of):
    prompt_id = new_id()
    queues = [queued(["a"], ["b", prompt_id]), queued(["b"], [prompt_id]), queued([prompt_id])]
    async with server_for(
        prompt_id, history=[{}, {}, {}, history_of(prompt_id)], queue=queues
    ).serving() as server:
        told = await followed(client_of(server.url), prompt_id)

    assert [(p.phase, p.queue_position) for p in told] == [
        ("queued", None),
        ("queued", 2),
        ("queued", 1),
        ("running", None),
        ("saving", None),
    ]


async def test_a_job_that_finished_before_it_was_resumed_needs_one_request(client_of):
    prompt_id = new_id()
    async with server_for(prompt_id, history=history_of(prompt_id)).serving() as server:
        client = client_of(server.url)
        await followed(client, prompt_id, graph=TRIVIAL)
        await client.outputs(prompt_id)

        assert [r.path for r in server.requests] == [f"/history/{prompt_id}"]


async def test_progress_of_other_clients_is_not_mixed_in(client_of):
    prompt_id, other = new_id(), new_id()
    script = [
        GREETING,
        POSTED,
        event("progress", other, node="2", value=5, max=9),
        {"type": "executing", "data": {"node": "77"}},
        event("progress_state", other, nodes={"2": {"state": "running", "value": 3, "max": 9}}),
        {"binary": 1, "metadata": None},
        b"this is no JSON",
        event("execution_success", other),
        event("executing", other, node=None),
        event("executing", prompt_id, node=None),
    ]
    async with server_for(prompt_id, history=history_of(prompt_id), script=script).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert [p.message for p in await followed(client, prompt_id)] == ["queued", "finished"]


async def test_a_prompt_deleted_from_the_queue_by_somebody_has_disappeared(client_of):
    prompt_id = new_id()
    async with server_for(
        prompt_id, history={}, queue=[queued(pending=[prompt_id]), EMPTY_QUEUE]
    ).serving() as server:
        with pytest.raises(ExecutionFailed, match="disappeared from the ComfyUI server"):
            await followed(client_of(server.url), prompt_id)


async def test_a_prompt_that_is_nowhere_for_a_moment_only_is_not_given_up(client_of):
    prompt_id = new_id()
    between = [EMPTY_QUEUE, queued(running=[prompt_id])]
    async with server_for(
        prompt_id, history=[{}, {}, history_of(prompt_id)], queue=between
    ).serving() as server:
        assert (await followed(client_of(server.url), prompt_id))[-1].message == "finished"


async def test_a_prompt_that_we_cancelled_while_it_waited_is_cancelled(client_of):
    prompt_id = new_id()
    gone = asyncio.Event()

    def queue(_request):
        return EMPTY_QUEUE if gone.is_set() else queued(pending=[prompt_id])

    def delete(_request):
        gone.set()
        return Reply(b"")

    routes = {
        ("POST", "/prompt"): accepted(prompt_id),
        ("GET", f"/history/{prompt_id}"): {},
        ("GET", "/queue"): queue,
        ("POST", "/queue"): delete,
    }
    async with ReplayServer(routes, [GREETING, POSTED, status(2), gone, status(0)]).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        following = asyncio.ensure_future(followed(client, prompt_id))
        await until(lambda: not client._submitted)

        assert await client.cancel(prompt_id) is True
        with pytest.raises(JobCancelled, match="was cancelled"):
            await following


async def test_stopping_to_follow_leaves_nothing_open_and_the_job_can_be_followed_again(client_of):
    prompt_id = new_id()
    async with server_for(prompt_id, history=history_of(prompt_id)).serving() as server:
        client = client_of(server.url)
        submission = await client.submit(TRIVIAL, prompt_id=prompt_id)
        async with aclosing(client.follow(submission, timeout_s=20)) as steps:
            async for _ in steps:
                break

        assert (await followed(client, submission))[-1].message == "finished"


async def test_a_failure_is_told_with_title_and_advice(client_of):
    prompt_id = new_id()
    failure = {
        "prompt_id": prompt_id,
        "node_id": "2",
        "node_type": "KSampler",
        "exception_type": "torch.OutOfMemoryError",
        "exception_message": "Allocation on device\nsee /srv/comfyui/x.py",
        "traceback": ["/srv/comfyui/x.py"],
    }
    graph = {"2": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "Main sampler"}}}
    history = history_of(prompt_id)
    history[prompt_id]["status"] = {"status_str": "error", "messages": [["execution_error", failure]]}
    async with server_for(prompt_id, history=history).serving() as server:
        with pytest.raises(ExecutionFailed) as caught:
            await followed(client_of(server.url), prompt_id, graph=graph)

    assert str(caught.value).startswith(
        "Node 2 (KSampler, 'Main sampler') failed: OutOfMemoryError: Allocation on device. "
        "The GPU ran out of memory"
    )


async def test_a_failure_without_details_still_says_something(client_of):
    prompt_id = new_id()
    history = history_of(prompt_id)
    history[prompt_id]["status"] = {"status_str": "error", "messages": []}
    async with server_for(prompt_id, history=history).serving() as server:
        with pytest.raises(ExecutionFailed, match=r"Node \? \(unknown class\) failed: an error: no message"):
            await followed(client_of(server.url), prompt_id)


async def test_only_the_last_histories_are_kept_and_others_are_asked_again(client_of):
    ids = [new_id() for _ in range(33)]
    routes = {("GET", f"/history/{prompt_id}"): history_of(prompt_id) for prompt_id in ids}
    async with ReplayServer(routes).serving() as server:
        client = client_of(server.url)
        for prompt_id in ids:
            await client.timings(prompt_id)
        await client.timings(ids[-1])
        times = await client.timings(ids[0])

        assert (times.queued_ms, times.running_ms) == (5, 100)
        assert server.count("GET", "/history") == 34


async def test_outputs_of_a_prompt_without_history_say_what_to_do(client_of):
    async with ReplayServer().serving() as server:
        with pytest.raises(ExecutionFailed, match="has no history on the ComfyUI server"):
            await client_of(server.url).outputs(new_id())
