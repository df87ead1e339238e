"""The server as clients start it: a process that speaks MCP on stdin and stdout."""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from observe import jobs_on, wait_until

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a paper boat", "model": "sd15", "size": "256x256", "steps": 2}


def parameters(tmp_path, url, command=("-m", "comfygen_mcp", "serve")):
    environ = {k: v for k, v in os.environ.items() if k.startswith(("COV", "COVERAGE"))}
    environ |= {"COMFYGEN_STORE": str(tmp_path / "gallery"), "COMFYGEN_INCOMING": str(tmp_path / "incoming")}
    environ |= {"COMFYUI_URL": url, "HOME": str(tmp_path)}
    return StdioServerParameters(command=sys.executable, args=list(command), env=environ, cwd=tmp_path)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_starts_the_server_and_gets_a_stored_picture_with_progress(tmp_path, engine, mode):
    told = []

    async def note(progress, total, message):
        told.append(progress)

    async with Client(stdio_client(parameters(tmp_path, engine.url)), mode=mode) as client:
        result = await client.call_tool("generate_image", QUICK, progress_callback=note)

    assert not result.is_error, result.content[0].text
    assert Path(result.structured_content["outputs"][0]["path"]).is_file()
    assert told


async def test_cancelling_over_stdio_stops_the_job_on_the_host(tmp_path, slow_engine):
    prompt = "a boat that never arrives"
    async with Client(stdio_client(parameters(tmp_path, slow_engine.url))) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "generate_image", {**QUICK, "prompt": prompt, "steps": 2000})
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
            group.cancel_scope.cancel()
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "cancelled"))


async def test_the_console_script_of_clients_starts_the_same_server(tmp_path, engine):
    script = Path(sys.executable).with_name("comfygen-mcp")
    server = parameters(tmp_path, engine.url).model_copy(update={"command": str(script), "args": []})
    async with Client(stdio_client(server)) as client:
        tools = await client.list_tools()

    assert "generate_image" in {tool.name for tool in tools.tools}


def test_the_server_ends_when_its_client_goes_away_and_says_nothing_on_stdout(tmp_path, engine):
    server = parameters(tmp_path, engine.url)
    ended = subprocess.run(
        [server.command, *server.args],
        input=b"",
        capture_output=True,
        timeout=60,
        env={**os.environ, **server.env},
        cwd=tmp_path,
        check=False,
    )

    assert ended.returncode == 0
    assert ended.stdout == b""


async def test_a_broken_configuration_does_not_keep_the_server_from_starting(tmp_path, engine):
    (tmp_path / "comfygen.yaml").write_text("default_bakend: x\n", encoding="utf-8")
    async with Client(stdio_client(parameters(tmp_path, engine.url))) as client:
        result = await client.call_tool("list_presets", {})

    assert result.is_error
    assert "default_backend" in result.content[0].text


def test_nothing_that_only_a_tool_needs_is_imported_before_initialize_is_answered():
    code = (
        "import sys; sys.argv[1:] = ['serve']; import comfygen_mcp.cli, comfygen_mcp.cli.stdio\n"
        "from comfygen_mcp.server.stdio import build_server; build_server(None)\n"
        "late = {'comfygen_mcp.tools', 'comfygen_mcp.app', 'comfygen_mcp.config', 'typer', 'yaml', 'PIL',"
        " 'numpy', 'minio', 'httpx', 'websockets', 'prometheus_client'}\n"
        "sys.stdout.write(','.join(sorted(late & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout == ""
