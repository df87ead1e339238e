"""Pictures in S3 through the highest door: an MCP client in, an object with its sidecar out."""

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from observe import error_text, wait_until
from s3_servers import Rclone

from comfygen_mcp.app import open_app
from comfygen_mcp.config import load_settings
from comfygen_mcp.server import build_server

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a red fox in snow", "model": "sd15", "size": "256x256", "steps": 1}


@pytest.fixture
def server(tmp_path):
    with Rclone(tmp_path / "served") as server:
        yield server


@pytest.fixture
def connect_s3(tmp_path, engine, monkeypatch):
    """Return a function: server → a connected MCP client of a comfygen that stores there."""
    monkeypatch.setattr("comfygen_mcp.stores.spool.RETRY_S", (0.1, 0.2))

    @asynccontextmanager
    async def connected(server, **more):
        environ = {
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "COMFYUI_URL": engine.url,
            **server.s3.environ("comfy-gen"),
            "COMFYGEN_S3_READ_TIMEOUT_S": "1",
            "COMFYGEN_S3_CONNECT_TIMEOUT_S": "1",
            **more,
        }
        loaded = load_settings(environ=environ, cwd=tmp_path)
        async with Client(build_server(lambda: open_app(loaded.settings, environ))) as client:
            yield client

    return connected


def stored(server):
    root = server.folder / "comfy-gen"
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


async def test_a_picture_and_its_sidecar_are_in_the_bucket_and_the_link_fetches_it(connect_s3, server):
    async with connect_s3(server) as client:
        result = await client.call_tool("generate_image", QUICK)
        status = await client.call_tool("server_status", {"probe": False})

    output = result.structured_content["outputs"][0]
    key = output["url"].removeprefix(f"{server.s3.url}/comfy-gen/")
    assert set(stored(server)) == {key, f"{key}.json"}
    with urllib.request.urlopen(output["download_url"], timeout=20) as reply:  # noqa: S310 - our loopback server
        assert reply.headers["Content-Type"] == "image/png"
        assert reply.headers["x-amz-meta-generation-id"] == output["generation_id"]
        assert reply.read() == stored(server)[key].read_bytes()
    sidecar = json.loads(stored(server)[f"{key}.json"].read_text(encoding="utf-8"))
    assert sidecar["minio_url"] == output["url"]
    assert output["path"] is None
    assert result.structured_content["notes"] == []
    assert [block.type for block in result.content] == ["text", "image", "resource_link"]
    assert output["download_url"] in result.content[0].text
    assert "S3 bucket comfy-gen" in status.structured_content["store"]
    assert status.structured_content["store_waiting"] == 0


async def test_another_server_reads_the_generation_back(connect_s3, server):
    async with connect_s3(server) as client:
        view = (await client.call_tool("generate_image", QUICK)).structured_content
    async with connect_s3(server, COMFYUI_URL="http://127.0.0.1:9") as client:
        read = await client.call_tool(
            "get_generation", {"generation_id": view["outputs"][0]["generation_id"]}
        )

    assert read.structured_content["seed"] == view["seed"]
    assert read.structured_content["output"]["url"] == view["outputs"][0]["url"]
    assert [block.type for block in read.content] == ["text", "image", "resource_link"]


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
async def test_during_an_outage_pictures_wait_here_and_are_delivered_afterwards(connect_s3, server, trouble):
    async with connect_s3(server) as client:
        getattr(server, trouble)()
        result = await client.call_tool("generate_image", QUICK)
        view = result.structured_content
        output = view["outputs"][0]
        status = await client.call_tool("server_status", {"probe": False})
        found = await client.call_tool("get_generation", {"generation_id": output["generation_id"]})

        assert Path(output["path"]).read_bytes().startswith(b"\x89PNG")
        assert output["download_url"] is None
        assert "Stored locally for now, will be delivered" in view["notes"][0]
        assert output["path"] in result.content[0].text
        assert [block.type for block in result.content] == ["text", "image", "resource_link"]
        assert status.structured_content["store_waiting"] == 2
        assert "2 file(s) wait here" in status.content[0].text
        assert server.s3.url in status.structured_content["store_notes"][0]
        assert found.structured_content["output"]["path"] == output["path"]

        server.start() if trouble == "kill" else server.thaw()
        await wait_until(lambda: len(stored(server)) == 2)
        await wait_until(lambda: not Path(output["path"]).exists())
        again = await client.call_tool("get_generation", {"generation_id": output["generation_id"]})

    assert again.structured_content["output"]["path"] is None
    assert again.structured_content["notes"] == []
    key = output["url"].removeprefix(f"{server.s3.url}/comfy-gen/")
    sidecar = json.loads(stored(server)[f"{key}.json"].read_text(encoding="utf-8"))
    assert sidecar["minio_url"] == output["url"]
    assert sidecar["notes"] == []


async def test_pictures_left_by_a_server_that_ended_are_delivered_by_the_next_one(connect_s3, server):
    server.kill()
    async with connect_s3(server) as client:
        view = (await client.call_tool("generate_image", QUICK)).structured_content
    server.start()
    async with connect_s3(server) as client:
        await client.call_tool("server_status", {"probe": False})
        await wait_until(lambda: len(stored(server)) == 2)

    assert any(view["outputs"][0]["generation_id"] in key for key in stored(server))


async def test_missing_keys_are_told_by_the_first_tool_with_the_variables_to_set(connect_s3, server):
    async with connect_s3(server, COMFYGEN_S3_SECRET_KEY="") as client:
        text = error_text(await client.call_tool("generate_image", QUICK))

    assert "COMFYGEN_S3_SECRET_KEY" in text
    assert server.s3.secret_key not in text


async def test_wrong_keys_lose_nothing_and_the_reason_is_told_without_them(connect_s3, server):
    async with connect_s3(server, COMFYGEN_S3_SECRET_KEY="not-the-secret") as client:
        result = await client.call_tool("generate_image", QUICK)
        status = await client.call_tool("server_status", {"probe": False})

    output = result.structured_content["outputs"][0]
    assert Path(output["path"]).is_file()
    assert "HTTP 403" in status.structured_content["store_notes"][0]
    assert "not-the-secret" not in result.content[0].text + status.content[0].text


def test_the_command_line_copies_a_picture_out_of_the_bucket(server, engine, tmp_path):
    own = {
        "COMFYUI_URL": engine.url,
        "XDG_DATA_HOME": str(tmp_path / "data"),
        **server.s3.environ("comfy-gen"),
    }
    quick = ("--model", "sd15", "--size", "256x256", "--steps", "1")

    subprocess.run(
        [sys.executable, "-m", "comfygen_mcp", "generate", "a fox", *quick, "-o", "fox.png"],
        check=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, **own},
    )

    (picture,) = (path for key, path in stored(server).items() if key.endswith(".png"))
    assert (tmp_path / "fox.png").read_bytes() == picture.read_bytes()
