"""The traps of ComfyUI, played on the embedded engine in both of its versions."""

import asyncio

import pytest
from comfyui_runs import TRIVIAL, followed, new_id, sampled, until
from engine_faults import VERSIONS, serving
from engine_server import EngineServer

from comfygen_mcp.errors import ExecutionFailed, UnexpectedReply

pytestmark = pytest.mark.anyio


async def test_an_identical_resubmit_whose_file_was_deleted_gives_one_clear_error(
    client_of, shared, tmp_path
):
    server, _ = shared
    client = client_of(server.url)
    first, second = new_id(), new_id()
    for prompt_id in (first, second):
        await client.submit(sampled(seed=77), prompt_id=prompt_id)
        await followed(client, prompt_id)
        for file in (server.folder / "output").glob("t2i*"):
            file.unlink()

    (remote,) = await client.outputs(second)
    with pytest.raises(UnexpectedReply, match=f"{remote.filename}.* no longer on the server"):
        await client.fetch(remote, tmp_path)


async def test_a_lost_reply_is_attached_and_the_prompt_runs_once(client_of, shared):
    server, faults = shared

    async def accept_in_silence(app, scope, receive, send):
        async def unheard(_message):
            pass

        await app(scope, receive, unheard)
        raise ConnectionError

    faults.spoil["POST", "/prompt"] = accept_in_silence
    faults.seen.clear()
    client, prompt_id = client_of(server.url), new_id()
    await client.submit(sampled(seed=5, prefix=f"once/{prompt_id}"), prompt_id=prompt_id)
    await followed(client, prompt_id)

    assert faults.seen.count(("POST", "/prompt")) == 1
    assert len(list((server.folder / "output" / "once").glob(f"{prompt_id}*"))) == 1


async def test_a_waiting_job_that_somebody_else_deletes_has_disappeared(client_of, slow):
    server, _ = slow
    mine, other = client_of(server.url, heartbeat_s=0.1), client_of(server.url)
    running, waiting = new_id(), new_id()
    await other.submit(sampled(40, seed=13), prompt_id=running)
    await mine.submit(sampled(4, seed=14), prompt_id=waiting)
    assert (await mine.queue()).pending == (waiting,)
    await other.cancel(waiting)

    with pytest.raises(ExecutionFailed, match="disappeared"):
        await followed(mine, waiting)
    assert await other.cancel(running) is True


async def test_a_job_is_resumed_by_another_client_and_ends(client_of, slow):
    server, _ = slow
    first, second, prompt_id = client_of(server.url), client_of(server.url), new_id()
    await first.submit(sampled(10, seed=15), prompt_id=prompt_id)
    await first.aclose()

    told = await followed(second, prompt_id)

    assert "running" in [p.message for p in told]
    assert len(await second.outputs(prompt_id)) == 1


async def test_a_socket_that_goes_deaf_midway_does_not_end_the_job(client_of, slow):
    server, faults = slow

    async def silent_after_some(app, scope, receive, send):
        count = 0

        async def few(message):
            nonlocal count
            count += 1
            if count <= 12:
                await send(message)

        await app(scope, receive, few)

    faults.spoil["WS", "/ws"] = silent_after_some
    client, prompt_id = client_of(server.url, heartbeat_s=0.2), new_id()
    await client.submit(sampled(8, seed=17), prompt_id=prompt_id)

    assert (await followed(client, prompt_id, timeout_s=60))[-1].message == "finished"


async def test_a_socket_that_the_server_cuts_midway_does_not_end_the_job(client_of, slow):
    server, faults = slow

    async def cut_after_some(app, scope, receive, send):
        count = 0

        async def few(message):
            nonlocal count
            count += 1
            if count <= 12:
                await send(message)
            elif count == 13:
                await send({"type": "websocket.close", "code": 1011})

        await app(scope, receive, few)

    faults.spoil["WS", "/ws"] = cut_after_some
    faults.seen.clear()
    client, prompt_id = client_of(server.url), new_id()
    await client.submit(sampled(20, seed=16), prompt_id=prompt_id)

    assert (await followed(client, prompt_id, timeout_s=60))[-1].message == "finished"
    assert faults.seen.count(("WS", "/ws")) >= 2


@pytest.mark.parametrize("version", VERSIONS)
async def test_history_that_comes_late_is_awaited(client_of, version):
    with serving(version, history_ms=400) as (server, _):
        client, prompt_id = client_of(server.url), new_id()
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id))[-1].message == "finished"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_is_restarted_midway_ends_the_job_with_an_explanation(client_of, version):
    prompt_id = new_id()
    with serving(version, step_ms=100) as (server, _):
        port = int(server.url.rpartition(":")[2])
        client = client_of(server.url)
        await client.submit(sampled(500), prompt_id=prompt_id)
        following = asyncio.ensure_future(followed(client, prompt_id, timeout_s=60))
        await until(lambda: not client._submitted)
    with (
        serving(version, port=port),
        pytest.raises(ExecutionFailed, match="the server was restarted"),
    ):
        await following


@pytest.mark.parametrize("version", VERSIONS)
async def test_authorisation_reaches_http_and_socket(client_of, version):
    seen = set()

    def watched(app):
        async def look(scope, receive, send):
            if scope["type"] in {"http", "websocket"}:
                seen.add((scope["type"], dict(scope["headers"]).get(b"authorization")))
            await app(scope, receive, send)

        return look

    with EngineServer(wrap=watched, comfyui_version=version) as server:
        client = client_of(server.url, headers={"Authorization": "Bearer s3cret"})
        prompt_id = new_id()
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id))[-1].message == "finished"

    assert seen == {("http", b"Bearer s3cret"), ("websocket", b"Bearer s3cret")}
