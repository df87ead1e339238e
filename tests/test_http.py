"""The HTTP service: real clients, real sockets, and what it refuses."""

import threading
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest
import uvicorn
from mcp import Client
from mcp.client.sse import sse_client
from observe import jobs_on, wait_until

from comfygen_mcp.app import open_app
from comfygen_mcp.config import HttpSettings, load_settings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.http import http_app, is_loopback
from comfygen_mcp.server import build_server

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a kite", "model": "sd15", "size": "256x256", "steps": 2}
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@contextmanager
def served(settings, **changes):
    """Run the service in a thread of its own; yields its base URL."""
    bind = HttpSettings.model_validate({**settings.http.model_dump(), "port": 0, **changes})
    app = http_app(build_server(lambda: open_app(settings, {})), bind, sse=False)
    listener = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        while not listener.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{listener.servers[0].sockets[0].getsockname()[1]}"
    finally:
        listener.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_picture_over_http_with_progress(settings, mode):
    told = []

    async def note(progress, total, message):
        told.append(progress)

    with served(settings) as url:
        async with Client(f"{url}/mcp", mode=mode) as client:
            result = await client.call_tool("generate_image", QUICK, progress_callback=note)

    assert not result.is_error, result.content[0].text
    assert Path(result.structured_content["outputs"][0]["path"]).is_file()
    assert told == sorted(set(told))
    assert told


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_cancelling_over_http_stops_the_job_on_the_host(settings_for, slow_engine, mode):
    prompt = f"an endless kite {mode}"
    with served(settings_for(COMFYUI_URL=slow_engine.url)) as url:
        async with Client(f"{url}/mcp", mode=mode) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(
                    client.call_tool, "generate_image", {**QUICK, "prompt": prompt, "steps": 2000}
                )
                await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
                group.cancel_scope.cancel()
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "cancelled"))


def test_a_foreign_host_or_origin_is_refused(settings):
    with served(settings) as url:
        evil_host = httpx.post(f"{url}/mcp", json=HELLO, headers={**ACCEPT, "Host": "evil.example"})
        evil_origin = httpx.post(
            f"{url}/mcp", json=HELLO, headers={**ACCEPT, "Origin": "http://evil.example"}
        )

    assert evil_host.status_code == 421
    assert evil_origin.status_code == 403


async def test_with_a_token_only_its_bearer_comes_in(settings):
    with served(settings, token="a-long-secret") as url:
        without = httpx.post(f"{url}/mcp", json=HELLO, headers=ACCEPT)
        wrong = httpx.post(
            f"{url}/mcp", json=HELLO, headers={**ACCEPT, "Authorization": "Bearer a-long-secre"}
        )
        right = httpx.post(
            f"{url}/mcp", json=HELLO, headers={**ACCEPT, "Authorization": "Bearer a-long-secret"}
        )

    assert (without.status_code, wrong.status_code) == (401, 401)
    assert without.headers["WWW-Authenticate"] == "Bearer"
    assert right.status_code not in (401, 403, 421)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_an_open_address_without_a_token_is_refused(settings, host):
    server = build_server(lambda: open_app(settings, {}))
    with pytest.raises(BadConfiguration, match="COMFYGEN_TOKEN"):
        http_app(server, HttpSettings(host=host))


def test_an_open_address_keeps_the_host_check_when_it_has_a_token(settings):
    with served(settings, host="0.0.0.0", token="t") as url:
        headers = {**ACCEPT, "Authorization": "Bearer t", "Host": "evil.example"}
        reply = httpx.post(f"{url}/mcp", json=HELLO, headers=headers)

    assert reply.status_code == 421


def test_loopback_is_recognised():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example.org")))


async def test_legacy_sse_still_works(tmp_path, engine):
    settings = load_settings(
        environ={"COMFYGEN_STORE": str(tmp_path / "gallery"), "COMFYUI_URL": engine.url}, cwd=tmp_path
    ).settings
    app = http_app(build_server(lambda: open_app(settings, {})), HttpSettings(port=0), sse=True)
    listener = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve)
        await wait_until(lambda: listener.started)
        url = f"http://127.0.0.1:{listener.servers[0].sockets[0].getsockname()[1]}/sse"
        async with Client(sse_client(url), mode="legacy") as client:
            tools = await client.list_tools()
        listener.should_exit = True

    assert "generate_image" in {tool.name for tool in tools.tools}
