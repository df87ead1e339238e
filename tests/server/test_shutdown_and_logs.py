"""The service as a process: it logs what one searches for and nothing private, and ends in good order."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import anyio
import httpx
import pytest
from http_service import BEARER, TOKEN
from httpx2 import AsyncClient
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from observe import error_text, jobs_on, wait_until

pytestmark = pytest.mark.anyio

PROMPT = "a heron that must stay private"
QUICK = {"prompt": PROMPT, "model": "sd15", "size": "256x256", "steps": 2}
LONG = {**QUICK, "steps": 2000}


@pytest.fixture
def environ(tmp_path):
    kept = {k: v for k, v in os.environ.items() if k.startswith(("COV", "COVERAGE", "PATH"))}
    folders = {
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"),
        "HOME": str(tmp_path),
    }
    return {**kept, **folders, "COMFYGEN_LOG_LEVEL": "info", "COMFYGEN_TOKEN": TOKEN}


@pytest.fixture
def serving(tmp_path, environ):
    """Return a context manager: a `comfygen serve --http` process with its `url`; it must end by itself."""

    @contextlib.contextmanager
    def process(*arguments, comfyui, **more):
        stderr = tmp_path / "stderr"
        with stderr.open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "comfygen_mcp", "serve", "--port", "0", *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=tmp_path,
                env={**environ, "COMFYUI_URL": comfyui, **more},
            )
        try:
            yield SimpleNamespace(process=started, url=announced(started, stderr), stderr=stderr)
        finally:
            started.kill()
            started.communicate()

    return process


def announced(process, stderr):
    while True:
        assert process.poll() is None, stderr.read_text(encoding="utf-8")
        for line in stderr.read_text(encoding="utf-8").splitlines():
            if line.startswith("comfygen serves MCP at "):
                return line.split()[4].removesuffix("/mcp").removesuffix("/sse")


@contextlib.asynccontextmanager
async def client_of(url, mode="auto"):
    async with (
        AsyncClient(headers=BEARER, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


def ended(running, *, within_s=30):
    out, _ = running.process.communicate(timeout=within_s)
    return running.process.returncode, out, running.stderr.read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_ends_with_zero(serving, engine, number):
    with serving("--http", comfyui=engine.url) as running:
        httpx.get(f"{running.url}/health")
        running.process.send_signal(number)
        code, out, told = ended(running)

    assert (code, out) == (0, b"")
    assert "Traceback" not in told


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_running_call_is_answered_before_the_end_while_nobody_new_comes_in(
    serving, slow_engine, mode
):
    prompt = f"a heron in time {mode}"
    results = []
    with serving("--http", comfyui=slow_engine.url, COMFYGEN_HTTP_SHUTDOWN_S="60") as running:

        async def generate(client):
            arguments = {**QUICK, "prompt": prompt, "steps": 20}
            results.append(await client.call_tool("generate_image", arguments))

        with contextlib.suppress(Exception):  # the goodbye of a legacy client meets a closed port
            async with client_of(running.url, mode) as client:
                await client.list_tools()  # or the client asks for schemas when the result is there
                async with anyio.create_task_group() as group:
                    group.start_soon(generate, client)
                    await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
                    running.process.send_signal(signal.SIGTERM)
        code, _, told = ended(running)

        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{running.url}/health")
    assert code == 0, told
    assert results[0].structured_content["status"] == "completed"
    assert "Traceback" not in told


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_what_does_not_end_in_time_is_cancelled_on_its_host_and_says_so(
    serving, slow_engine, tmp_path, mode
):
    prompt = f"a heron too late {mode}"
    results = []
    with serving("--http", comfyui=slow_engine.url, COMFYGEN_HTTP_SHUTDOWN_S="0.1") as running:

        async def generate(client):
            results.append(await client.call_tool("generate_image", {**LONG, "prompt": prompt}))

        with contextlib.suppress(Exception):  # as above
            async with client_of(running.url, mode) as client, anyio.create_task_group() as group:
                group.start_soon(generate, client)
                await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
                running.process.send_signal(signal.SIGTERM)
        code, _, told = ended(running)

    assert code == 0, told
    assert jobs_on(slow_engine.url, prompt, "cancelled")
    assert "cancelled" in error_text(results[0])
    assert "Traceback" not in told
    assert not list((tmp_path / "incoming").glob("*"))


async def test_a_job_nobody_waits_for_is_cancelled_on_its_host_too(serving, slow_engine):
    prompt = "a heron alone"
    with serving("--http", comfyui=slow_engine.url) as running:
        async with client_of(running.url) as client:
            await client.call_tool("generate_image", {**LONG, "prompt": prompt, "wait_s": 0})
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        running.process.send_signal(signal.SIGTERM)
        code, _, _ = ended(running)

    assert code == 0
    assert jobs_on(slow_engine.url, prompt, "cancelled")


async def test_asked_twice_it_waits_for_no_call(serving, slow_engine):
    prompt = "a heron in a hurry"
    with serving("--http", comfyui=slow_engine.url, COMFYGEN_HTTP_SHUTDOWN_S="600") as running:
        with contextlib.suppress(Exception):  # as above
            async with client_of(running.url) as client, anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "generate_image", {**LONG, "prompt": prompt})
                await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
                running.process.send_signal(signal.SIGINT)
                await wait_until(lambda: b"shutting down" in running.stderr.read_bytes())
                running.process.send_signal(signal.SIGINT)
        code, _, _ = ended(running)

    assert code == 0
    assert jobs_on(slow_engine.url, prompt, "cancelled")


async def test_an_open_event_stream_does_not_hold_the_end_up(serving, engine):
    with serving("--http", comfyui=engine.url) as running:
        with contextlib.suppress(Exception):  # as above
            async with client_of(running.url, "legacy") as client:
                await client.list_tools()
                running.process.send_signal(signal.SIGTERM)
                await wait_until(lambda: running.process.poll() is not None)
        code, _, told = ended(running)

    assert code == 0
    assert "Traceback" not in told


def test_legacy_sse_says_that_it_is_deprecated(serving, engine):
    with serving("--sse", comfyui=engine.url) as running:
        running.process.send_signal(signal.SIGTERM)
        code, _, told = ended(running)

    assert code == 0
    assert "--sse is deprecated" in told


def test_a_port_that_is_taken_is_a_clear_error(serving, engine, tmp_path, environ):
    with serving("--http", comfyui=engine.url) as running:
        port = running.url.rsplit(":", 1)[1]
        second = subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", "serve", "--http", "--port", port],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environ,
            timeout=60,
            check=False,
        )

    assert second.returncode == 2
    assert f"port {port}" in second.stderr
    assert "Traceback" not in second.stderr


async def test_the_log_of_a_run_is_json_with_ids_and_without_prompt_or_token(serving, engine, tmp_path):
    file = tmp_path / "service.log"
    arguments = ("--http", "--log-format", "json", "--log-file", str(file))
    with serving(*arguments, comfyui=engine.url) as running:
        async with client_of(running.url, "legacy") as client:
            made = await client.call_tool("generate_image", QUICK)
            await client.call_tool("generate_image", {**QUICK, "stepps": 1})
            await client.call_tool("generate_image", {**QUICK, "steps": PROMPT})
            await client.call_tool("generate_image", {**QUICK, "workflow": "no-such"})
        link = made.structured_content["outputs"][0]["download_url"]
        httpx.get(link, headers={"X-Request-Id": "my-own-id.1"})
        httpx.get(f"{running.url}/metrics", headers={"Authorization": "Bearer wrong-token-value"})
        running.process.send_signal(signal.SIGTERM)
        code, out, told = ended(running)
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    by_message = {line["message"]: line for line in lines}
    job_id = made.structured_content["job_id"]

    assert (code, out) == (0, b"")
    assert [line for line in told.splitlines() if not line.startswith(("{", "comfygen serves"))] == []
    for private in ("heron", TOKEN, "wrong-token-value", link.partition("?")[2], str(tmp_path)):
        assert private not in told
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    submitted, done = by_message["job submitted"], by_message["job completed"]
    assert submitted["job_id"] == done["job_id"] == job_id
    assert submitted["backend"] == done["backend"] == "sd15"
    assert submitted["host"] == engine.url
    assert done["duration_ms"] > 0
    assert done["request_id"]
    assert by_message["tool call ended"]["tool"] == "generate_image"
    served_file = next(line for line in lines if line.get("route") == "files")
    assert served_file["request_id"] == "my-own-id.1"
    assert served_file["status"] == 200
    logged = [line for line in told.splitlines() if line.startswith("{")]
    assert file.read_text(encoding="utf-8").splitlines() == logged
    assert file.stat().st_mode & 0o077 == 0


def test_a_log_file_that_cannot_be_written_is_a_clear_error(tmp_path, environ):
    refused = subprocess.run(
        [sys.executable, "-m", "comfygen_mcp", "serve", "--http", "--log-file", str(tmp_path / "no" / "log")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environ,
        timeout=60,
        check=False,
    )

    assert refused.returncode == 2
    assert "--log-file" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_over_stdio_a_signal_stops_the_job_on_its_host(tmp_path, environ, slow_engine, number):
    prompt = f"a heron by stdio {number.name}"
    call = {"name": "generate_image", "arguments": {**LONG, "prompt": prompt, "wait_s": 0}}
    client = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "comfygen_mcp", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**environ, "COMFYUI_URL": slow_engine.url},
    )
    with process:
        for message in messages:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        anyio.run(wait_until, lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        process.send_signal(number)
        code = process.wait(timeout=30)
        told = process.stderr.read()

    assert code == 0
    assert jobs_on(slow_engine.url, prompt, "cancelled")
    assert b"Traceback" not in told


async def test_over_stdio_the_log_goes_to_stderr_at_the_configured_level(tmp_path, environ, engine):
    log = tmp_path / "stdio.log"
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "comfygen_mcp", "serve", "--log-format", "json", "--log-file", str(log)],
        env={**environ, "COMFYUI_URL": engine.url},
        cwd=tmp_path,
    )
    async with Client(stdio_client(server)) as client:
        made = await client.call_tool("generate_image", QUICK)

    assert made.structured_content["outputs"][0]["path"]
    assert made.structured_content["outputs"][0]["download_url"] is None
    messages = [json.loads(line)["message"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert "job completed" in messages
    assert "heron" not in log.read_text(encoding="utf-8")
