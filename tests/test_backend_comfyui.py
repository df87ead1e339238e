"""The ComfyUI backend: a cancelled submit leaves nothing behind, and credentials stay with their block."""

import asyncio
import threading

import pytest
from comfyui_runs import new_id, sampled, until
from engine_faults import serving
from test_archive import job_of

from comfygen_mcp.backends import comfyui as backend_module
from comfygen_mcp.backends.base import Prepared
from comfygen_mcp.backends.comfyui import ComfyUIBackend
from comfygen_mcp.backends.hosts import Clients, ConfiguredHost
from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.models import Host, Ticket
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture
async def clients():
    opened = Clients(ComfyUI)
    yield opened
    await opened.aclose()


@pytest.fixture
def slow():
    with serving("0.33.0", step_ms=60) as served:
        yield served


def backend_at(clients, host):
    return ComfyUIBackend(
        "fox",
        source=ConfiguredHost(host),
        clients=clients,
        library=WorkflowLibrary([]),
        nodes=NodeClasses(clients),
        shelf=InputShelf(MemoryStore()),
    )


def prepared(url, **changes):
    job = job_of(new_id())
    return Prepared(job=job, host=url, graph=sampled(500, seed=3), graph_sha256="0" * 64, **changes)


def ticket_at(url):
    job = job_of(new_id())
    return Ticket(
        job_id=job.id,
        backend="fox",
        host=url,
        remote_id=job.id,
        client_id="c",
        graph={},
        graph_sha256="0" * 64,
        submitted_at=job.created_at,
    )


def delaying(arrived, let_go, done):
    """Spoil a post: the body is read at once, the prompt is queued only when the test says so."""

    async def delay(app, scope, receive, send):
        message = await receive()
        arrived.append(message)
        await asyncio.to_thread(let_go.wait, 20)

        async def replay():
            return message

        async def unheard(_message):
            pass

        await app(scope, replay, unheard)
        done.append(True)

    return delay


async def cancelled(submitting):
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError) as cut:
        await submitting
    return str(cut.value)


async def test_a_prompt_that_is_queued_only_after_the_cancel_is_still_taken_back(clients, slow):
    server, faults = slow
    arrived, let_go, done = [], threading.Event(), []
    faults.spoil["POST", "/prompt"] = delaying(arrived, let_go, done)
    submitting = asyncio.ensure_future(backend_at(clients, Host(url=server.url)).submit(prepared(server.url)))
    await until(lambda: arrived)

    ending = asyncio.ensure_future(cancelled(submitting))
    await until(lambda: faults.seen.count(("GET", "/queue")) >= 2)
    let_go.set()

    assert await ending == "It was stopped on its host."
    assert done
    queue = await clients.of(Host(url=server.url)).queue()
    assert (queue.running, queue.pending) == ((), ())


async def test_a_prompt_that_never_arrives_is_looked_for_a_bounded_time(clients, slow, monkeypatch):
    server, faults = slow
    monkeypatch.setattr(backend_module, "WITHDRAW_LOOKS_S", 0.3)
    monkeypatch.setattr(backend_module, "WITHDRAW_PAUSE_S", 0.05)
    arrived, let_go = [], threading.Event()
    faults.spoil["POST", "/prompt"] = delaying(arrived, let_go, [])
    submitting = asyncio.ensure_future(backend_at(clients, Host(url=server.url)).submit(prepared(server.url)))
    await until(lambda: arrived)

    await cancelled(submitting)

    assert faults.seen.count(("GET", "/queue")) >= 2
    let_go.set()


async def test_a_host_that_is_gone_does_not_hold_the_cancel_up(clients, monkeypatch):
    monkeypatch.setattr(backend_module, "WITHDRAW_LOOKS_S", 0.1)
    with serving("0.33.0") as (server, faults):
        arrived, let_go = [], threading.Event()
        faults.spoil["POST", "/prompt"] = delaying(arrived, let_go, [])
        backend = backend_at(clients, Host(url=server.url))
        submitting = asyncio.ensure_future(backend.submit(prepared(server.url)))
        await until(lambda: arrived)
        faults.spoil["GET", "/queue"] = _bad_gateway

        await cancelled(submitting)
        let_go.set()

    assert not faults.spoil


async def _bad_gateway(_app, _scope, _receive, send):
    await send({"type": "http.response.start", "status": 502, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("spelled", ["of the block", "elsewhere"])
async def test_a_tickets_host_is_signed_in_to_only_when_it_is_the_blocks_own(spelled):
    opened = []

    def open_client(host):
        opened.append(host)
        return ComfyUI(host)

    with serving("0.33.0") as (server, _):
        clients = Clients(open_client)
        mine = Host(url=server.url, headers={"Authorization": "Bearer mine"})
        other = Host(url=server.url, headers={"Authorization": "Bearer other"})
        clients.of(other)
        configured = mine if spelled == "of the block" else mine.model_copy(update={"url": "http://fox:1"})

        assert await backend_at(clients, configured).cancel(ticket_at(server.url)) is False
        await clients.aclose()

    used = mine if spelled == "of the block" else Host(url=server.url)
    assert opened == [other, used]


async def test_submit_and_follow_use_the_client_of_the_block(slow):
    server, _ = slow
    opened = []

    def open_client(host):
        opened.append(host)
        return ComfyUI(host)

    clients = Clients(open_client)
    mine = Host(url=server.url, headers={"Authorization": "Bearer mine"})
    backend = backend_at(clients, mine)

    ticket = await backend.submit(prepared(server.url))
    assert await backend.cancel(ticket) is True
    assert opened == [mine]
    await clients.aclose()


async def test_a_job_that_was_never_sent_is_cancelled_without_looking_for_it(connect, settings_for):
    arrived, let_go = threading.Event(), threading.Event()

    async def hold(_app, _scope, receive, send):
        await receive()
        arrived.set()
        await asyncio.to_thread(let_go.wait, 20)
        await send({"type": "websocket.close", "code": 1012})

    with serving("0.33.0") as (server, faults):
        faults.spoil["WS", "/ws"] = hold
        async with connect(settings_for(COMFYUI_URL=server.url)) as client:
            request = {"prompt": "a fox", "model": "sd15", "wait_s": 0}
            started = await client.call_tool("generate_image", request)
            await until(arrived.is_set)
            ended = await client.call_tool("cancel_job", {"job_id": started.structured_content["job_id"]})
        let_go.set()

    assert ended.structured_content["jobs"][0]["status"] == "cancelled"
    assert ended.content[0].text.endswith("was cancelled. It had not begun on its host.")
    assert ("POST", "/prompt") not in faults.seen
    assert ("GET", "/queue") not in faults.seen
