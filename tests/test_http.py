"""The HTTP service: real clients, real sockets, and what it refuses."""

import json

import anyio
import httpx
import pytest
from http_service import ACCEPT, BEARER, HELLO, TOKEN, served
from httpx2 import AsyncClient
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from observe import error_text, jobs_on, wait_until

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.token import check_address, is_loopback

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a kite", "model": "sd15", "size": "256x256", "steps": 2}
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@MODES
async def test_a_picture_over_http_with_progress_comes_with_a_link_and_no_path(settings, mode):
    told = []

    async def note(progress, total, message):
        told.append(progress)

    with served(settings) as running:
        async with Client(f"{running.url}/mcp", mode=mode) as client:
            result = await client.call_tool("generate_image", QUICK, progress_callback=note)
            output = result.structured_content["outputs"][0]
            fetched = running.http.get(output["download_url"])

    assert not result.is_error, result.content[0].text
    assert told == sorted(set(told))
    assert told
    assert output["path"] is None
    assert output["download_url"].startswith(f"{running.url}/files/g/")
    assert output["download_url"] in result.content[0].text
    assert fetched.headers["content-type"] == "image/png"
    assert fetched.content.startswith(b"\x89PNG")


@MODES
async def test_no_answer_over_http_names_a_folder_of_the_server(settings, tmp_path, mode):
    with served(settings) as running:
        async with Client(f"{running.url}/mcp", mode=mode) as client:
            made = await client.call_tool("generate_image", QUICK)
            identifier = made.structured_content["outputs"][0]["generation_id"]
            results = [
                made,
                await client.call_tool("get_generation", {"generation_id": identifier, "graph": True}),
                await client.call_tool("get_job", {}),
                await client.call_tool("server_status", {}),
                await client.read_resource(f"comfygen://generations/{identifier}"),
            ]

    for result in results:
        assert str(tmp_path) not in result.model_dump_json()
    assert json.loads(results[-1].contents[0].text)["minio_url"].startswith("comfygen://generations/")


@MODES
async def test_an_error_over_http_names_a_kept_file_without_the_servers_folder(
    settings_for, engine, tmp_path, mode
):
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    store = str(tmp_path / "a-file" / "gallery")
    with served(settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE=store)) as running:
        async with Client(f"{running.url}/mcp", mode=mode) as client:
            made = error_text(await client.call_tool("generate_image", QUICK))
            listed = await client.call_tool("get_job", {})
        page = running.http.get("/metrics").text

    assert "kept at incoming/" in made
    assert str(tmp_path) not in made + listed.model_dump_json()
    assert 'comfygen_store_errors_total{operation="keep"} 1.0' in page


async def test_over_a_public_address_links_begin_with_it(settings):
    changes = {"public_url": "https://pictures.example/comfy", "token": TOKEN}
    with served(settings, **changes) as running:
        headers = {**BEARER, "Host": "pictures.example", "Origin": "https://pictures.example"}
        async with (
            AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{running.url}/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("generate_image", QUICK)

    link = result.structured_content["outputs"][0]["download_url"]
    assert link.startswith("https://pictures.example/comfy/files/g/")


@MODES
async def test_cancelling_over_http_stops_the_job_on_the_host(settings_for, slow_engine, mode):
    prompt = f"an endless kite {mode}"
    with served(settings_for(COMFYUI_URL=slow_engine.url)) as running:
        async with Client(f"{running.url}/mcp", mode=mode) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(
                    client.call_tool, "generate_image", {**QUICK, "prompt": prompt, "steps": 2000}
                )
                await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
                group.cancel_scope.cancel()
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "cancelled"))


@pytest.mark.parametrize("path", ["/mcp", "/health", "/ready", "/metrics", "/files/a.png", "/nothing"])
def test_a_foreign_host_or_origin_is_refused_on_every_route(settings, path):
    with served(settings) as running:
        evil_host = running.http.get(path, headers={"Host": "evil.example"})
        evil_origin = running.http.get(path, headers={"Origin": "http://evil.example"})
        no_origin = running.http.get(path, headers={"Origin": "null"})

    assert evil_host.status_code == 421
    assert (evil_origin.status_code, no_origin.status_code) == (403, 403)


def test_own_and_configured_origins_are_let_in(settings):
    with served(settings, allowed_hosts=("me.example",), allowed_origins=("https://me.example",)) as running:
        own = running.http.get("/health", headers={"Origin": running.url})
        other = running.http.get("/health", headers={"Host": "me.example", "Origin": "https://me.example"})

    assert (own.status_code, other.status_code) == (200, 200)


def test_with_a_token_only_its_bearer_comes_in(settings):
    def answer(value):
        return running.http.post("/mcp", json=HELLO, headers={**ACCEPT, "Authorization": value})

    with served(settings, token=TOKEN) as running:
        without = running.http.post("/mcp", json=HELLO, headers=ACCEPT)
        refused = [
            answer(f"Bearer {TOKEN[:-1]}"),
            answer(f"Basic {TOKEN}"),
            answer(TOKEN),
            answer(b"Bearer \xe9"),
        ]
        accepted = [answer(f"Bearer {TOKEN}"), answer(f"bearer  {TOKEN}")]

    assert without.status_code == 401
    assert without.headers["WWW-Authenticate"] == "Bearer"
    assert {reply.status_code for reply in refused} == {401}
    assert refused[0].headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert not {reply.status_code for reply in accepted} & {401, 403, 421, 429}


def test_with_a_token_probes_stay_open_and_all_else_is_closed(settings):
    with served(settings, token=TOKEN) as running:
        status = {
            path: running.http.get(path).status_code
            for path in ("/health", "/ready", "/files/a.png", "/metrics", "/nothing", "/.well-known/x")
        }
        metrics = running.http.get("/metrics", headers=BEARER).status_code

    assert status == {
        "/health": 200,
        "/ready": 200,
        "/files/a.png": 403,
        "/metrics": 401,
        "/nothing": 401,
        "/.well-known/x": 404,
    }
    assert metrics == 200


def test_many_wrong_tokens_are_told_to_wait_while_the_right_one_comes_in(settings):
    with served(settings, token=TOKEN) as running:
        tries = [running.http.get("/metrics", headers={"Authorization": "Bearer x"}) for _ in range(25)]
        right = running.http.get("/metrics", headers=BEARER)

    assert [reply.status_code for reply in tries[:20]] == [401] * 20
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["Retry-After"]) >= 1
    assert right.status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
@pytest.mark.parametrize("token", [None, "short"])
def test_an_open_address_without_a_good_token_is_refused(host, token):
    with pytest.raises(BadConfiguration, match="COMFYGEN_TOKEN"):
        check_address(HttpSettings.model_validate({"host": host, "token": token}))


def test_an_open_address_keeps_the_host_check_when_it_has_a_token(settings):
    with served(settings, host="0.0.0.0", token=TOKEN) as running:
        reply = running.http.post("/mcp", json=HELLO, headers={**ACCEPT, **BEARER, "Host": "evil.example"})

    assert reply.status_code == 421


def test_loopback_is_recognised():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "localhost.example.org")))


def test_a_body_over_the_limit_is_refused_declared_or_not(settings):
    with served(settings, max_body_bytes=2048) as running:
        declared = running.http.post("/mcp", content=b" " * 3000, headers=ACCEPT)
        streamed = running.http.post("/mcp", content=iter([b" " * 1500] * 2), headers=ACCEPT)
        small = running.http.post("/mcp", json=HELLO, headers=ACCEPT)

    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert "2048" in declared.json()["error"]
    assert small.status_code not in (413, 429)


def test_too_many_requests_are_told_when_to_come_back(settings):
    with served(settings, requests_per_minute=1, request_burst=3) as running:
        replies = [running.http.get("/health") for _ in range(4)]

    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 60


async def test_a_busy_agent_never_meets_the_default_limits(settings):
    with served(settings) as running:
        async with Client(f"{running.url}/mcp", mode="legacy") as client:
            results = [await client.call_tool("list_presets", {}) for _ in range(60)]

    assert not any(result.is_error for result in results)


async def test_legacy_sse_still_works_behind_the_same_guards(settings):
    with served(settings, sse=True, token=TOKEN) as running:
        refused = httpx.get(f"{running.url}/sse")
        async with Client(sse_client(f"{running.url}/sse", headers=BEARER), mode="legacy") as client:
            made = await client.call_tool("generate_image", QUICK)
        link = made.structured_content["outputs"][0]["download_url"]
        fetched = httpx.get(link)

    assert refused.status_code == 401
    assert fetched.status_code == 200
    assert made.structured_content["outputs"][0]["path"] is None
