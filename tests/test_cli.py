"""The command line as a person uses it: help, pictures, wrong flags, Ctrl-C, two at once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from observe import jobs_on, wait_until
from PIL import Image

QUICK = ("--model", "sd15", "--size", "256x256", "--steps", "2")


@pytest.fixture
def environ(tmp_path, engine):
    own = {
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"),
        "COMFYUI_URL": engine.url,
        "HOME": str(tmp_path),
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }
    return {**os.environ, **own}


@pytest.fixture
def comfygen(tmp_path, environ):
    def run(*words, **changes):
        return subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**environ, **changes},
            check=False,
        )

    return run


def test_help_names_every_command_and_exits_cleanly(comfygen):
    shown = comfygen("--help")

    assert shown.returncode == 0
    for command in ("generate", "serve", "backends", "models", "presets", "config", "engine"):
        assert command in shown.stdout


def test_generate_stores_a_picture_copies_it_and_prints_where_it_is(comfygen, tmp_path):
    ended = comfygen("generate", "a red fox in snow", *QUICK, "--seed", "7", "-o", "fox.png")

    assert ended.returncode == 0, ended.stderr
    assert "seed 7" in ended.stderr
    stored = next((tmp_path / "gallery" / "g").rglob("*.png"))
    assert ended.stdout == f"{stored}\n"
    assert "copied to fox.png" in ended.stderr
    assert (tmp_path / "fox.png").read_bytes() == stored.read_bytes()
    with Image.open(stored) as picture:
        assert picture.size == (256, 256)
    assert stored.with_name(stored.name + ".json").is_file()


def test_generate_as_json_is_one_json_document_on_stdout(comfygen):
    ended = comfygen("generate", "a boat", *QUICK, "--json")

    view = json.loads(ended.stdout)
    assert (view["status"], view["steps"], view["prompt"]) == ("completed", 2, "a boat")


def test_no_metadata_leaves_no_sidecar(comfygen, tmp_path):
    ended = comfygen("generate", "a secret", *QUICK, "--no-metadata")

    assert ended.returncode == 0, ended.stderr
    files = [path for path in (tmp_path / "gallery" / "g").rglob("*") if path.is_file()]
    assert [path.suffix for path in files] == [".png"]


def test_a_workflow_file_of_ones_own_is_run(comfygen, tmp_path):
    bundled = Path(__file__).parent.parent / "workflows" / "sd15.json"
    own = json.loads(bundled.read_text(encoding="utf-8"))
    own["_workflow_metadata"]["defaults"]["width"] = 320
    (tmp_path / "mine.json").write_text(json.dumps(own), encoding="utf-8")
    ended = comfygen("generate", "a boat", "--workflow", "./mine.json", "--steps", "1", "--json")

    view = json.loads(ended.stdout)
    assert (view["workflow"], view["width"]) == ("mine.json", 320)


def test_a_file_in_the_working_folder_is_meant_before_a_bundled_one_of_its_name(comfygen, tmp_path):
    bundled = Path(__file__).parent.parent / "workflows" / "sd15.json"
    own = json.loads(bundled.read_text(encoding="utf-8"))
    own["_workflow_metadata"]["defaults"]["width"] = 384
    (tmp_path / "sd15.json").write_text(json.dumps(own), encoding="utf-8")
    mine = json.loads(
        comfygen("generate", "a boat", "--workflow", "sd15.json", "--steps", "1", "--json").stdout
    )
    theirs = json.loads(comfygen("generate", "a boat", "--workflow", "sd15", "--steps", "1", "--json").stdout)

    assert (mine["width"], theirs["width"]) == (384, 512)


def test_a_copy_to_a_folder_that_is_not_there_is_refused_before_anything_is_generated(comfygen, tmp_path):
    ended = comfygen("generate", "a boat", *QUICK, "-o", "no/such/folder/x.png")

    assert ended.returncode == 2
    assert "no/such/folder" in ended.stderr
    assert not (tmp_path / "gallery").exists()


def test_a_copy_that_cannot_be_made_loses_nothing(comfygen, tmp_path):
    (tmp_path / "taken.png").mkdir()
    (tmp_path / "taken.png" / "x.png").symlink_to("/proc/no-such-file")
    ended = comfygen("generate", "a boat", *QUICK, "-o", "taken.png/x.png")

    stored = next((tmp_path / "gallery" / "g").rglob("*.png"))
    assert ended.returncode == 2
    assert str(stored) in ended.stderr


@pytest.mark.parametrize(("name", "start"), [("boat.jpg", b"\xff\xd8\xff"), ("boat.WEBP", b"RIFF")])
def test_a_copy_has_the_format_that_its_name_asks_for(comfygen, tmp_path, name, start):
    (tmp_path / "boat.png").write_text("precious")

    ended = comfygen("generate", "a boat", *QUICK, "-o", name)

    assert f"copied to {name}\n" in ended.stderr
    assert (tmp_path / name).read_bytes().startswith(start)
    assert (tmp_path / "boat.png").read_text() == "precious"


def test_a_copy_in_a_format_that_cannot_be_is_named_for_what_it_is_and_replaces_nothing(comfygen, tmp_path):
    (tmp_path / "boat.png").write_text("precious")

    ended = comfygen("generate", "a boat", *QUICK, "-o", "boat.mp4")

    assert "copied to boat (2).png (it is png, not mp4)" in ended.stderr
    assert (tmp_path / "boat (2).png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "boat.png").read_text() == "precious"
    assert not (tmp_path / "boat.mp4").exists()


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["generate", "x", "--sise", "1x1"], 2, "--size"),
        (["generate"], 2, "prompt is empty"),
        (["generate", ""], 2, "empty"),
        (["generate", "x", "--model", "sd51"], 2, "sd15"),
        (["generate", "x", "--size", "70x70"], 2, "70"),
        (["generate", "x", "--workflow", "nope.json"], 2, "nope.json"),
        (["generat", "x"], 2, "generate"),
        (["serve", "--port", "1"], 2, "--http"),
        (["serve", "--http", "--sse"], 2, "one of"),
        (["serve", "--http", "--host", "0.0.0.0"], 2, "COMFYGEN_TOKEN"),
        (["--config", "nope.yaml", "models"], 2, "nope.yaml"),
    ],
)
def test_wrong_words_get_an_exit_code_and_a_hint(comfygen, words, code, named):
    ended = comfygen(*words)

    assert ended.returncode == code, ended.stderr
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_no_network_has_its_own_exit_code_and_says_what_to_do(comfygen):
    ended = comfygen("generate", "x", COMFYUI_URL="http://127.0.0.1:9")

    assert ended.returncode == 3
    assert "127.0.0.1:9" in ended.stderr


def test_a_configured_host_that_sleeps_has_the_same_exit_code(comfygen, tmp_path):
    (tmp_path / "comfygen.yaml").write_text(
        "default_backend: far\n"
        "backends:\n  far: {base_url: 'http://127.0.0.1:9', workflow: sd15, model: x.safetensors}\n",
        encoding="utf-8",
    )
    ended = comfygen("generate", "x", COMFYUI_URL="")

    assert ended.returncode == 3
    assert "127.0.0.1:9" in ended.stderr


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ending", "times"),
    [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGINT, 2)],
    ids=["Ctrl-C", "SIGTERM", "Ctrl-C twice"],
)
async def test_ctrl_c_stops_the_job_on_the_host_and_leaves_nothing_behind(
    tmp_path, environ, slow_engine, ending, times
):
    prompt = f"never finished {ending} {times}"
    process = subprocess.Popen(
        [sys.executable, "-m", "comfygen_mcp", "generate", prompt, *QUICK[:-1], "2000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**environ, "COMFYUI_URL": slow_engine.url},
    )
    await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
    for _ in range(times):
        process.send_signal(ending)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert jobs_on(slow_engine.url, prompt, "cancelled")
    assert not [path for path in (tmp_path / "gallery").rglob("*") if path.is_file()]


def test_two_at_once_without_a_comfyui_share_one_embedded_engine(
    tmp_path, environ, comfygen, unused_implicit_host
):
    alone = {k: v for k, v in environ.items() if k != "COMFYUI_URL"}
    words = [sys.executable, "-m", "comfygen_mcp", "generate", "twins", *QUICK, "--json"]
    pair = [
        subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=alone
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=120) for process in pair]
    stopped = comfygen("engine", "stop")

    assert [process.returncode for process in pair] == [0, 0], ended
    views = [json.loads(out) for out, _ in ended]
    sidecars = [
        json.loads(Path(v["outputs"][0]["path"] + ".json").read_text(encoding="utf-8")) for v in views
    ]
    assert len({sidecar["host"] for sidecar in sidecars}) == 1
    assert len({view["outputs"][0]["path"] for view in views}) == 2
    assert all(view["preview_engine"] for view in views)
    assert "stopped" in stopped.stdout


@pytest.fixture
def unused_implicit_host():
    """Skip nothing silently: the fallback can only be seen while nothing listens on ComfyUI's own port."""
    import socket

    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8188)) == 0:
            pytest.fail("a ComfyUI listens on 127.0.0.1:8188: stop it to test the fallback")


def test_models_presets_and_backends_as_json(comfygen):
    models = json.loads(comfygen("models", "--json").stdout)
    presets = json.loads(comfygen("presets", "--json").stdout)
    backends = json.loads(comfygen("backends", "--probe", "--json").stdout)

    assert {model["state"] for model in models} == {"ready"}
    assert presets["presets"]["ultra"]["steps"] == 100
    assert {backend["readiness"]["state"] for backend in backends} == {"ready"}


def test_models_presets_and_backends_for_people(comfygen, tmp_path, engine):
    (tmp_path / "comfygen.yaml").write_text(
        "backends:\n"
        f"  good: {{type: comfyui, base_url: '{engine.url}', workflow: sd15, model: x.safetensors}}\n"
        f"  bad: {{type: comfyui, base_url: '{engine.url}', workflow: nope, model: x.safetensors}}\n"
        "  asleep: {type: comfyui, base_url: 'http://127.0.0.1:9', workflow: sd15, model: x.safetensors,"
        " wake_hint: 'run: wake gpu-box'}\n",
        encoding="utf-8",
    )
    listed = comfygen("backends").stdout
    probed = comfygen("backends", "--probe").stdout

    assert "ok (host not asked; use --probe)" in listed
    assert "bad: Unknown workflow 'nope'" in listed
    assert "good: Not installed: x.safetensors in models/checkpoints/" in probed
    assert "asleep: ComfyUI at http://127.0.0.1:9" in probed
    assert "wake gpu-box" in probed
    assert comfygen("models").stdout.startswith("The embedded preview engine stands in")
    assert "dpmpp_2m_sde" in comfygen("presets").stdout


def test_backends_lists_workflow_files_that_cannot_be_used_and_a_folder_that_is_not_there(comfygen, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.json").write_text("{bad", encoding="utf-8")
    folders = f"{tmp_path / 'mine'},{tmp_path / 'nowhere'}"
    listed = comfygen("backends", COMFYGEN_WORKFLOW_DIRS=folders).stdout
    found = json.loads(comfygen("doctor", "--json", COMFYGEN_WORKFLOW_DIRS=folders).stdout)

    assert "broken.json: broken.json" in listed
    assert "nowhere" in listed
    assert {"backend broken.json", "backend nowhere"} <= {
        f["about"] for f in found if f["verdict"] == "problem"
    }


@pytest.mark.anyio
async def test_serve_http_announces_itself_and_stops_on_ctrl_c(tmp_path, environ):
    import socket

    import httpx

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "comfygen_mcp", "serve", "--http", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environ,
    )

    def answers():
        try:
            return httpx.get(f"http://127.0.0.1:{port}/mcp").status_code >= 400
        except httpx.TransportError:
            return False

    await wait_until(answers)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=30)

    assert f"http://127.0.0.1:{port}/mcp" in told
    assert out == ""
    assert "Traceback" not in told


def test_the_doctor_finds_nothing_wrong_with_a_ready_host_but_says_it_is_the_preview_engine(comfygen):
    seen = comfygen("doctor")
    findings = {f["about"]: f for f in json.loads(comfygen("doctor", "--json").stdout)}

    assert seen.returncode == 0, seen.stderr
    assert findings["store"]["verdict"] == "ok"
    assert findings["models"]["verdict"] == "warning"
    assert [f["verdict"] for about, f in findings.items() if about.startswith("host")] == ["warning"]
    assert "COMFYUI_URL" in seen.stdout


def test_the_doctor_names_every_problem_and_its_cure(comfygen, tmp_path, engine):
    (tmp_path / "a-file").write_text("", encoding="utf-8")
    (tmp_path / "comfygen.yaml").write_text(
        "backends:\n"
        f"  hungry: {{type: comfyui, base_url: '{engine.url}', workflow: sd15, model: x.safetensors}}\n"
        f"  broken: {{type: comfyui, base_url: '{engine.url}', workflow: nope, model: x.safetensors}}\n"
        "  asleep: {type: comfyui, base_url: 'http://127.0.0.1:9', workflow: sd15, model: x.safetensors}\n",
        encoding="utf-8",
    )
    alone = {"COMFYUI_URL": "", "COMFYGEN_STORE": str(tmp_path / "a-file" / "gallery")}
    seen = comfygen("doctor", "--json", **alone)
    told = comfygen("doctor", **alone)

    problems = {f["about"]: f for f in json.loads(seen.stdout) if f["verdict"] == "problem"}
    assert (seen.returncode, told.returncode) == (1, 1)
    assert {"store", "backend hungry", "backend broken", "backend asleep", "host http://127.0.0.1:9"} <= set(
        problems
    )
    assert all(f["fix"] for f in problems.values())
    assert "x.safetensors" in problems["backend hungry"]["found"]
    assert "→" in told.stdout


def test_the_engine_is_started_found_and_stopped_by_hand(comfygen):
    first = comfygen("engine", "start")
    again = json.loads(comfygen("engine", "start", "--json").stdout)
    stopped = comfygen("engine", "stop")
    gone = json.loads(comfygen("engine", "stop", "--json").stdout)

    assert first.stdout.strip() == again["url"]
    assert stopped.stdout.strip() == "stopped"
    assert gone == {"stopped": False}


def test_completion_is_offered_for_the_usual_shells(comfygen):
    shown = comfygen("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert "complete" in shown.stdout


def test_no_color_leaves_plain_text(comfygen):
    assert "\x1b[" not in comfygen("doctor", NO_COLOR="1", FORCE_COLOR="").stdout
