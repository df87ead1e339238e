"""Following on while sockets break, servers go away and nobody says so."""

import asyncio

import pytest
from comfyui_runs import (
    TRIVIAL,
    event,
    followed,
    history_of,
    new_id,
    queued,
    server_for,
    status,
    until,
)
from replay_server import CUT, GREETING, POSTED, ReplayServer, Reply

from comfygen_mcp.errors import BackendUnreachable, ExecutionFailed, JobTimeout, UnexpectedReply

pytestmark = pytest.mark.anyio


async def test_a_deaf_socket_is_found_out_by_the_heartbeat(client_of):
    prompt_id = new_id()
    async with server_for(
        prompt_id, history=[{}, history_of(prompt_id)], queue=queued(running=[prompt_id])
    ).serving() as server:
        client = client_of(server.url, heartbeat_s=0.05)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        told = await followed(client, prompt_id)

        assert [p.message for p in told] == ["queued", "running", "finished"]
        assert server.count("GET", "/ws") == 1


async def test_a_socket_cut_midway_is_opened_again_under_a_fresh_id_and_the_job_ends(client_of):
    prompt_id = new_id()
    finished = asyncio.Event()

    def history(_request):
        return history_of(prompt_id) if finished.is_set() else {}

    first = [GREETING, POSTED, event("executing", prompt_id, node="1"), CUT]
    async with server_for(
        prompt_id, history=history, queue=queued(running=[prompt_id]), script=[first, [GREETING, status(1)]]
    ).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        following = asyncio.ensure_future(followed(client, prompt_id))
        await until(lambda: len(server.sockets) == 2)
        finished.set()

        assert (await following)[-1].message == "finished"
        assert len(set(server.sockets)) == 2


async def test_a_status_broadcast_makes_a_resumed_job_look_at_once(client_of):
    prompt_id = new_id()
    done = asyncio.Event()

    def history(_request):
        return history_of(prompt_id) if done.is_set() else {}

    script = [GREETING, done, status(0)]
    async with server_for(
        prompt_id, history=history, queue=queued(running=[prompt_id]), script=script
    ).serving() as server:
        client = client_of(server.url, poll_s=60, poll_max_s=60)
        following = asyncio.ensure_future(followed(client, prompt_id))
        await until(lambda: server.sockets)
        done.set()

        assert (await following)[-1].message == "finished"


async def test_a_restarted_server_that_knows_nothing_ends_the_job(client_of):
    prompt_id = new_id()
    first = [GREETING, POSTED, event("executing", prompt_id, node="1"), CUT]
    restart = {"left": 3}

    def history(_request):
        restart["left"] -= 1
        return Reply(fault="cut") if restart["left"] >= 0 else {}

    async with server_for(prompt_id, history=history, script=[first, [GREETING]]).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        told = []
        with pytest.raises(ExecutionFailed, match="the server was restarted"):
            await followed(client, prompt_id, into=told)

    assert "the server does not answer, trying again" in [p.message for p in told]


async def test_a_server_that_answers_again_is_told_to_run_again(client_of):
    prompt_id = new_id()
    cut, running = Reply(fault="cut"), Reply({})
    routes = {
        ("GET", f"/history/{prompt_id}"): [running, cut, cut, running, Reply(history_of(prompt_id))],
        ("GET", "/queue"): queued(running=[prompt_id]),
    }
    async with ReplayServer(routes, socket_status=404).serving() as server:
        told = await followed(client_of(server.url), prompt_id)

    away = "the server does not answer, trying again"
    assert [p.message for p in told] == ["queued", "running", away, "running", "finished"]


async def test_a_socket_that_breaks_again_and_again_is_not_hurried_after(client_of):
    prompt_id = new_id()
    script = [[GREETING, POSTED, CUT], [GREETING, CUT]]
    histories = [*({} for _ in range(8)), history_of(prompt_id)]
    async with server_for(
        prompt_id, history=histories, queue=queued(running=[prompt_id]), script=script
    ).serving() as server:
        client = client_of(server.url, retry_s=60, reconnect_max_s=60)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        await followed(client, prompt_id)

        assert len(server.sockets) == 2


async def test_a_server_that_stays_away_is_unreachable(client_of):
    prompt_id = new_id()
    async with server_for(prompt_id, history={}, script=[[GREETING, POSTED, CUT]]).serving() as server:
        client = client_of(server.url, outage_s=0.2)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
    with pytest.raises(BackendUnreachable, match="connection refused"):
        await followed(client, prompt_id)


async def test_a_proxy_page_in_place_of_history_is_borne_for_a_while_only(client_of):
    prompt_id = new_id()
    page = Reply(b"<html>restarting</html>", type="text/html")
    routes = {("GET", f"/history/{prompt_id}"): [page, page, Reply(history_of(prompt_id))]}
    async with ReplayServer(routes).serving() as server:
        assert (await followed(client_of(server.url), prompt_id))[-1].message == "finished"
    async with ReplayServer({("GET", f"/history/{prompt_id}"): page}).serving() as server:
        with pytest.raises(UnexpectedReply, match="not ComfyUI"):
            await followed(client_of(server.url, outage_s=0.1), prompt_id)


async def test_a_server_that_hangs_without_closing_ends_at_the_timeout(client_of):
    prompt_id = new_id()
    async with server_for(prompt_id, history=Reply(fault="hang")).serving() as server:
        client = client_of(server.url, connect_s=0.2)
        await client.submit(TRIVIAL, prompt_id=prompt_id)
        with pytest.raises(JobTimeout, match=r"did not finish within 0.1 s \(last seen: queued\)") as caught:
            await followed(client, prompt_id, timeout_s=0.1)

    assert prompt_id in str(caught.value)
    assert "it was stopped there" in str(caught.value)
    assert "`timeout_image_s`" in str(caught.value)


async def test_a_job_that_ended_unheard_is_found_at_the_timeout(client_of):
    prompt_id = new_id()
    async with server_for(prompt_id, history=history_of(prompt_id)).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id, timeout_s=0.1))[-1].message == "finished"
