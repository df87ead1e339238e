"""The engine as a process of its own: found by its state file, stopped by signals or by idleness."""

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from engine_probe import trivial, txt2img
from websockets.sync.client import connect

from comfygen_mcp.engine.__main__ import main
from comfygen_mcp.engine.state_file import announced

WAIT_S = 30


@pytest.fixture
def launch(tmp_path):
    """Return a function that starts an engine and waits for its state file."""
    started = []

    def launched(name, *arguments):
        state = tmp_path / name / "state.json"
        log = tmp_path / f"{name}.log"
        command = [sys.executable, "-m", "comfygen_mcp.engine", "--folder", str(tmp_path / name)]
        command += ["--state", str(state), "--log", str(log), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        until(state.exists)
        return process, state

    yield launched
    for process in started:
        process.kill()
        process.communicate()


def until(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_the_state_file_tells_where_it_answers_and_is_gone_after_sigterm(launch):
    process, state = launch("one")
    told = json.loads(state.read_text(encoding="utf-8"))

    stats = httpx.get(f"{told['url']}/system_stats").json()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=WAIT_S)

    assert stats["system"]["comfygen_engine"]["version"] == told["version"]
    assert told["pid"] == process.pid
    assert told["started_at"].endswith("+00:00")
    assert (process.returncode, out, err) == (0, b"", b"")
    assert not state.exists()


def test_a_running_job_does_not_hold_up_sigint(launch):
    process, state = launch("busy", "--step-ms", "1000")
    url = json.loads(state.read_text(encoding="utf-8"))["url"]
    with connect(url.replace("http", "ws") + "/ws?clientId=c") as socket:
        httpx.post(f"{url}/prompt", json={"prompt": txt2img(steps=1000), "client_id": "c"})
        while '"executing"' not in socket.recv(timeout=WAIT_S):
            pass
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WAIT_S)

    assert process.returncode == 0


def test_it_ends_by_itself_when_nobody_uses_it(launch):
    process, state = launch("idle", "--idle-s", "0.5")
    url = json.loads(state.read_text(encoding="utf-8"))["url"]

    httpx.post(f"{url}/prompt", json={"prompt": trivial()})
    process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert not state.exists()


def test_an_open_socket_keeps_it_alive(launch):
    process, state = launch("watched", "--idle-s", "0.4")
    url = json.loads(state.read_text(encoding="utf-8"))["url"]

    with connect(url.replace("http", "ws") + "/ws") as socket:
        socket.recv(timeout=WAIT_S)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1.2)
    process.wait(timeout=WAIT_S)

    assert process.returncode == 0


def test_two_at_once_do_not_meet(launch, tmp_path):
    models = tmp_path / "models.json"
    models.write_text('{"loras": ["mine.safetensors"]}', encoding="utf-8")
    _, first = launch("first", "--models", str(models))
    _, second = launch("second", "--comfyui-version", "0.3.64")
    urls = [json.loads(state.read_text(encoding="utf-8"))["url"] for state in (first, second)]

    for url in urls:
        httpx.post(f"{url}/prompt", json={"prompt": trivial()})
    versions = [httpx.get(f"{u}/system_stats").json()["system"]["comfyui_version"] for u in urls]

    assert urls[0] != urls[1]
    assert versions == ["0.33.0", "0.3.64"]
    assert httpx.get(f"{urls[0]}/models/loras").json() == ["mine.safetensors"]
    bundled = httpx.get(f"{urls[1]}/models/checkpoints").json()
    assert "v1-5-pruned-emaonly-fp16.safetensors" in bundled


def test_a_state_file_that_another_engine_has_taken_over_stays(tmp_path):
    file = tmp_path / "state.json"

    with announced(file, "http://127.0.0.1:1"):
        assert json.loads(file.read_text(encoding="utf-8"))["pid"] == os.getpid()
        file.write_text('{"pid": 1}', encoding="utf-8")

    assert file.exists()
    assert list(tmp_path.iterdir()) == [file]


def test_a_state_file_that_went_meanwhile_is_no_trouble(tmp_path):
    file = tmp_path / "state.json"

    with announced(file, "http://127.0.0.1:1"):
        file.unlink()

    assert not file.exists()


@pytest.mark.parametrize("models", ["[1]", "{bad", '{"loras": 5}'])
def test_a_models_file_of_another_shape_is_refused(tmp_path, capsys, models):
    file = tmp_path / "models.json"
    file.write_text(models, encoding="utf-8")

    code = main(["--folder", str(tmp_path), "--state", str(tmp_path / "s"), "--models", str(file)])

    assert code == 1
    assert "cannot start" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(launch, tmp_path, capsys):
    _, state = launch("taken")
    port = json.loads(state.read_text(encoding="utf-8"))["url"].rsplit(":", 1)[1]

    code = main(["--folder", str(tmp_path), "--state", str(tmp_path / "s"), "--port", port])

    assert code == 1
    assert port in capsys.readouterr().err


def test_a_host_can_be_named(launch):
    process, state = launch("named", "--host", "localhost", "--idle-s", "0")
    url = json.loads(state.read_text(encoding="utf-8"))["url"]

    assert httpx.get(f"{url}/queue").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=WAIT_S) == 0


def test_a_state_file_that_cannot_be_written_leaves_no_rest(tmp_path):
    (tmp_path / "state.json").mkdir()

    with pytest.raises(OSError, match="state"), announced(tmp_path / "state.json", "http://127.0.0.1:1"):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
