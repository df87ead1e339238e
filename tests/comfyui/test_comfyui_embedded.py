"""The engine as a process of its own: found, started once, stopped."""

import asyncio
import json
import os
import sys

import pytest
from replay_server import ReplayServer, Reply, transcript

from comfygen_mcp import __version__
from comfygen_mcp.comfyui import embedded
from comfygen_mcp.comfyui.embedded import ensure_engine, refused, stop_engine
from comfygen_mcp.errors import BackendUnreachable, BadConfiguration

pytestmark = pytest.mark.anyio


@pytest.fixture
async def folder(tmp_path):
    yield tmp_path / "engine"
    await stop_engine(tmp_path / "engine")


def pid_of(folder):
    return json.loads((folder / "engine.json").read_text(encoding="utf-8"))["pid"]


async def test_an_engine_is_started_once_by_two_callers_found_again_and_stopped(folder, client_of):
    first, second = await asyncio.gather(
        *(ensure_engine(folder, idle_s=60, version=__version__) for _ in range(2))
    )
    pid = pid_of(folder)

    assert first == second == await ensure_engine(folder, idle_s=60, version=__version__)
    assert pid_of(folder) == pid != os.getpid()
    assert (await client_of(first.url).system_stats()).preview_engine
    assert not await refused(first.url)

    assert await stop_engine(folder) is True
    assert await refused(first.url)
    assert await stop_engine(folder) is False


async def test_an_engine_that_died_is_replaced(folder):
    folder.mkdir()
    async with ReplayServer().serving() as gone:
        dead = {"url": gone.url, "pid": 2**22, "version": __version__}
    (folder / "engine.json").write_text(json.dumps(dead), encoding="utf-8")

    assert (await ensure_engine(folder, idle_s=60, version=__version__)).url != dead["url"]


@pytest.mark.parametrize("text", ["", "[]", "{not json", '{"url": 3}'])
async def test_an_unreadable_state_file_counts_as_no_engine(tmp_path, text):
    (tmp_path / "engine.json").write_text(text, encoding="utf-8")

    assert await stop_engine(tmp_path) is False


async def test_a_real_comfyui_on_the_port_of_a_stale_state_file_is_left_alone(tmp_path):
    stats = transcript("system_stats")
    async with ReplayServer({("GET", "/system_stats"): stats}).serving() as server:
        state = {"url": server.url, "pid": os.getpid(), "version": __version__}
        (tmp_path / "engine.json").write_text(json.dumps(state), encoding="utf-8")

        assert await stop_engine(tmp_path) is False


async def test_an_engine_that_cannot_start_is_told_with_its_last_words(tmp_path, monkeypatch):
    broken = tmp_path / "python"
    broken.write_text(
        "#!/bin/sh\necho 'ImportError: no module /srv/lib/starlette' >&2\nexit 3\n", encoding="utf-8"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    with pytest.raises(BackendUnreachable, match="ended with status 3: ImportError: no module …/starlette"):
        await ensure_engine(tmp_path / "engine", idle_s=60, version=__version__)


async def test_an_engine_that_never_answers_is_ended(tmp_path, monkeypatch):
    silent = tmp_path / "python"
    silent.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    silent.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(silent))
    monkeypatch.setattr(embedded, "START_S", 0.3)

    with pytest.raises(BackendUnreachable, match=r"does not answer: it left no log\."):
        await ensure_engine(tmp_path / "engine", idle_s=60, version=__version__)


async def test_an_engine_that_does_not_stop_is_said_to(tmp_path, monkeypatch):
    stats = {"system": {"comfygen_engine": {"version": __version__}}, "devices": []}
    async with ReplayServer({("GET", "/system_stats"): stats}).serving() as server:
        state = {"url": server.url, "pid": 2**22, "version": __version__}
        (tmp_path / "engine.json").write_text(json.dumps(state), encoding="utf-8")
        monkeypatch.setattr(embedded, "STOP_S", 0.1)

        with pytest.raises(BackendUnreachable, match="does not stop"):
            await stop_engine(tmp_path)


async def test_a_folder_that_cannot_be_used_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(BadConfiguration, match="Choose a writable data folder") as caught:
        await ensure_engine(tmp_path / "file" / "engine", idle_s=60, version=__version__)

    assert str(tmp_path) not in str(caught.value)


async def test_waiting_for_another_starter_is_bounded(tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(embedded, "START_S", 0.1)
    with FileLock(tmp_path / "engine.lock"), pytest.raises(BackendUnreachable, match="another process"):
        await ensure_engine(tmp_path, idle_s=60, version=__version__)


async def test_only_a_refused_connection_counts_as_refused():
    async with ReplayServer({("GET", "/"): Reply()}).serving() as server:
        assert await refused(server.url) is False
    assert await refused(server.url) is True
    assert await refused(f"http://localhost:{server.port}") is True
    assert await refused("http://no-such-host.invalid:8188") is False
    assert await refused("http://255.255.255.255:8188") is False
    assert await refused("https://no-such-host.invalid") is False
