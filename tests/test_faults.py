"""Faults for real, through the highest door: a result or a clear error, and nothing left behind."""

import asyncio
import gc
import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest
from engine_faults import serving
from observe import error_text, jobs_on, wait_until

pytestmark = pytest.mark.anyio

MOUNT, UMOUNT = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
QUICK = {"prompt": "a bell", "model": "sd15", "size": "256x256", "steps": 2}
LONG = {**QUICK, "steps": 2000}


class EngineProcess:
    """An engine that can be killed, and started again where it was."""

    def __init__(self, folder, port=0):
        self.folder = folder
        self.state = folder / "state.json"
        self.port = port

    def start(self):
        words = ["-m", "comfygen_mcp.engine", "--folder", str(self.folder), "--state", str(self.state)]
        words += ["--port", str(self.port), "--step-ms", "20", "--log", str(self.folder / "log")]
        self.process = subprocess.Popen([sys.executable, *words])
        deadline = time.monotonic() + 20
        while not (self.state.exists() and self.process.pid == self._told()["pid"]):
            assert time.monotonic() < deadline
            assert self.process.poll() is None
        self.url = self._told()["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    def _told(self):
        return json.loads(self.state.read_text(encoding="utf-8"))


@pytest.fixture
def engine_process(tmp_path):
    folder = tmp_path / "own-engine"
    folder.mkdir()
    process = EngineProcess(folder).start()
    yield process
    if process.process.poll() is None:
        process.kill()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def nothing_left_behind(tmp_path):
    """Fail when sockets, files or tasks stay open, or half-fetched outputs stay on disk."""
    gc.collect()
    files, tasks = open_files(), asyncio.all_tasks()
    yield
    gc.collect()
    assert open_files() - files <= 1, "file descriptors were left open"
    assert asyncio.all_tasks() <= tasks
    incoming = tmp_path / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


@asynccontextmanager
async def started(connect, settings, prompt, url):
    """Yield a client whose call for *prompt* is running on the engine at *url*, and its future result."""
    async with connect(settings) as client:
        call = asyncio.create_task(client.call_tool("generate_image", {**LONG, "prompt": prompt}))
        await wait_until(lambda: jobs_on(url, prompt, "in_progress"))
        yield client, call


async def test_an_engine_killed_mid_job_that_stays_away_is_an_error_within_its_bound(
    connect, settings_for, engine_process, tmp_path
):
    settings = settings_for(COMFYUI_URL=engine_process.url, COMFYGEN_OUTAGE_S="2")
    with nothing_left_behind(tmp_path):
        async with started(connect, settings, "killed for good", engine_process.url) as (_, call):
            engine_process.kill()
            with anyio.fail_after(40):
                text = error_text(await call)

    assert engine_process.url in text
    assert "refused" in text


async def test_an_engine_killed_and_restarted_mid_job_says_that_the_job_is_gone(
    connect, settings_for, engine_process, tmp_path
):
    settings = settings_for(COMFYUI_URL=engine_process.url)
    with nothing_left_behind(tmp_path):
        async with started(connect, settings, "killed and back", engine_process.url) as (client, call):
            engine_process.kill()
            engine_process.start()
            with anyio.fail_after(40):
                text = error_text(await call)
            after = await client.call_tool("generate_image", QUICK)

    assert "restarted" in text
    assert not after.is_error


async def test_a_socket_cut_mid_job_still_ends_in_a_picture(connect, settings_for, tmp_path):
    with serving("0.33.0", step_ms=20) as (engine, faults), nothing_left_behind(tmp_path):
        async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
            call = asyncio.create_task(client.call_tool("generate_image", {**QUICK, "steps": 60}))
            await wait_until(lambda: jobs_on(engine.url, "a bell", "in_progress"))
            faults.cut_sockets()
            with anyio.fail_after(40):
                result = await call

    assert not result.is_error, result.content[0].text
    assert Path(result.structured_content["outputs"][0]["path"]).is_file()


def html(status):
    async def reply(app, scope, receive, send):
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": b"<html>Welcome to nginx!</html>"})

    return reply


async def half_a_body(app, scope, receive, send):
    """Announce the whole length, send half, hang up."""

    async def cut(message):
        if message["type"] == "http.response.body":
            body = message["body"]
            await send({**message, "body": body[: len(body) // 2], "more_body": False})
            return
        await send(message)

    await app(scope, receive, cut)


@pytest.mark.parametrize(
    ("path", "spoil", "named"),
    [
        (("POST", "/prompt"), html(200), "not"),
        (("GET", "/view"), html(404), "view"),
    ],
    ids=["a proxy answers instead", "the output file is gone"],
)
async def test_a_spoilt_answer_is_a_clear_error_and_the_next_job_runs(
    connect, settings_for, tmp_path, path, spoil, named
):
    with serving("0.33.0") as (engine, faults), nothing_left_behind(tmp_path):
        faults.spoil[path] = spoil
        async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
            with anyio.fail_after(40):
                text = error_text(await client.call_tool("generate_image", QUICK))
                after = await client.call_tool("generate_image", QUICK)

    assert "nginx" not in text
    assert "<html" not in text
    assert not after.is_error


@pytest.mark.parametrize(
    ("path", "spoil"),
    [(("POST", "/prompt"), html(500)), (("GET", "/view"), half_a_body)],
    ids=["one 500 on submit", "half a body on download"],
)
async def test_a_passing_fault_is_retried_and_nobody_notices(connect, settings_for, tmp_path, path, spoil):
    with serving("0.33.0") as (engine, faults), nothing_left_behind(tmp_path):
        faults.spoil[path] = spoil
        async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
            with anyio.fail_after(40):
                result = await client.call_tool("generate_image", QUICK)

    assert not result.is_error, result.content[0].text
    assert faults.spoil == {}


async def test_a_history_written_late_is_waited_for(connect, settings_for, tmp_path):
    with serving("0.33.0", history_ms=400) as (engine, _), nothing_left_behind(tmp_path):
        async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
            result = await client.call_tool("generate_image", QUICK)

    assert not result.is_error, result.content[0].text


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 kB, for real."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run([UMOUNT, str(folder)], check=True)


async def test_a_full_disk_under_the_store_keeps_the_picture_and_says_where(
    connect, settings_for, engine, small_disk
):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE=str(small_disk / "gallery"))
    big = {**QUICK, "size": "1024x1024"}
    async with connect(settings) as client:
        text = error_text(await client.call_tool("generate_image", big))
        stored = await client.call_tool("generate_image", {**QUICK, "size": "128x128"})

    kept = Path(text.split("kept at ")[1].split(".png")[0] + ".png")
    assert "space" in text
    assert kept.read_bytes().startswith(b"\x89PNG")
    assert not stored.is_error, stored.content[0].text
    assert not [path for path in small_disk.rglob("*") if path.name.startswith(".incomplete")]


async def test_a_full_disk_under_the_incoming_folder_is_a_clear_error(
    connect, settings_for, engine, small_disk
):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_INCOMING=str(small_disk / "incoming"))
    async with connect(settings) as client:
        text = error_text(await client.call_tool("generate_image", {**QUICK, "size": "1024x1024"}))
        after = await client.call_tool("generate_image", {**QUICK, "size": "128x128"})

    assert "space" in text
    assert not any((small_disk / "incoming").rglob("*.png"))
    assert not after.is_error, after.content[0].text
