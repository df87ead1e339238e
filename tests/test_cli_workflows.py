"""`comfygen workflows` and `comfygen run` as a person uses them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

EDITOR = json.loads((Path(__file__).parent / "data/graph/editor/classic.json").read_text(encoding="utf-8"))
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 7}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}


@pytest.fixture
def comfygen(tmp_path, engine):
    own = {
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYGEN_CACHE": str(tmp_path / "cache"),
        "COMFYUI_URL": engine.url,
        "HOME": str(tmp_path),
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }

    def run(*words, **changes):
        return subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, **own, **changes},
            check=False,
        )

    return run


def size(ended):
    assert ended.returncode == 0, ended.stderr
    with Image.open(ended.stdout.strip()) as picture:
        return picture.size


def test_the_list_has_a_line_for_each_workflow(comfygen):
    shown = comfygen("workflows", "list")
    bare = comfygen("workflows")
    as_json = json.loads(comfygen("workflows", "--json").stdout)

    assert shown.returncode == 0, shown.stderr
    line = next(line for line in shown.stdout.splitlines() if line.startswith("sd15 "))
    assert line.split() == ["sd15", "txt2img", "ready", "bundled"]
    assert (bare.returncode, bare.stdout) == (0, shown.stdout)
    assert {"name": "sd15", "state": "ready"}.items() <= next(
        row for row in as_json if row["name"] == "sd15"
    ).items()


def test_one_workflow_shows_what_can_be_set_by_name_and_by_node(comfygen, tmp_path):
    (tmp_path / "mine.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    shown = comfygen("workflows", "show", "sd15")
    mine = comfygen("workflows", "show", "./mine.json")
    as_json = json.loads(comfygen("workflows", "show", "sd15", "--json").stdout)

    assert "steps: integer, default 20, 1 to 10000 - Sampling steps" in shown.stdout
    assert "  5.denoise: number, default 1.0, 0.0 to 1.0 - KSampler" in shown.stdout
    assert "  1.width: integer, default 64, 1 to 16384 - EmptyImage" in mine.stdout
    assert {entry["name"] for entry in as_json["parameters"]} >= {"prompt", "steps", "5.denoise"}


def test_check_is_content_with_missing_files_and_fails_for_problems(comfygen, tmp_path):
    good = comfygen("workflows", "check")
    assert good.returncode == 0, good.stdout
    assert next(line for line in good.stdout.splitlines() if line.startswith("sd15 ")).split() == [
        "sd15",
        "ok",
    ]

    bad = {**GRAPH, "1": {**GRAPH["1"], "inputs": {"width": 0, "height": 64, "batch_size": 1, "color": 7}}}
    (tmp_path / "bad.json").write_text(json.dumps(bad), encoding="utf-8")
    lost = {
        **GRAPH,
        "3": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "lost.safetensors"}},
    }
    lost["1"] = {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["3", 2]}}
    lost["4"] = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
    (tmp_path / "lost.json").write_text(json.dumps(lost), encoding="utf-8")
    failed = comfygen("workflows", "check", COMFYGEN_WORKFLOW_DIRS=str(tmp_path))
    found = json.loads(comfygen("workflows", "check", "--json", COMFYGEN_WORKFLOW_DIRS=str(tmp_path)).stdout)

    assert failed.returncode == 1
    assert "width=0 is below 1" in failed.stdout
    assert "lost.safetensors in models/checkpoints/" in failed.stdout
    verdicts = {entry["name"]: entry["verdict"] for entry in found}
    assert (verdicts["bad"], verdicts["lost"]) == ("problems", "missing files")


def test_check_without_a_server_has_its_own_exit_code(comfygen):
    ended = comfygen("workflows", "check", COMFYUI_URL="http://127.0.0.1:9")

    assert ended.returncode == 3
    assert "127.0.0.1:9" in ended.stderr


def test_a_named_workflow_runs_with_parameters(comfygen):
    params = ("-p", "prompt=a boat = a ship", "--param", "width=128", "-p", "height=192", "-p", "steps=1")
    ended = comfygen("run", "sd15", *params, "-o", "boat.png")

    assert size(ended) == (128, 192)
    sidecar = json.loads(Path(f"{ended.stdout.strip()}.json").read_text(encoding="utf-8"))
    assert sidecar["prompt"] == "a boat = a ship"


def test_files_of_every_kind_run(comfygen, tmp_path):
    (tmp_path / "api.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    (tmp_path / "drawn.json").write_text(json.dumps(EDITOR["editor"]), encoding="utf-8")
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(GRAPH))
    Image.new("RGB", (8, 8)).save(tmp_path / "made.png", pnginfo=info)

    assert size(comfygen("run", "api.json", "-p", "1.width=96")) == (96, 64)
    assert size(comfygen("run", "./drawn.json", "-p", "5.width=128", "-p", "3.steps=1")) == (128, 512)
    assert size(comfygen("run", "made.png", "-p", "1.height=32")) == (64, 32)


def test_a_dry_run_prints_the_graph_and_stores_nothing(comfygen, tmp_path):
    ended = comfygen("run", "sd15", "-p", "prompt=x", "-p", '5.model=["1", 0]', "--dry-run")

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["5"]["inputs"]["model"] == ["1", 0]
    assert "Nothing was sent" in ended.stderr
    assert not list((tmp_path / "gallery").rglob("*.png"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sd15", "-p", "prompt"), "is not NAME=VALUE"),
        (("sd15", "-p", "=x"), "is not NAME=VALUE"),
        (("sd15", "-p", "prompt=x", "-p", "5.steps=[1"), "steps='[1' is no whole number"),
        (("nothing",), "Unknown workflow 'nothing'"),
        (("cut.json",), "cannot be read as JSON"),
        (("missing.png",), "no file 'missing.png'"),
    ],
)
def test_what_cannot_be_run_ends_with_the_code_for_bad_input(comfygen, tmp_path, words, told):
    (tmp_path / "cut.json").write_text('{"1": ', encoding="utf-8")
    ended = comfygen("run", *words)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
