"""`comfygen models`, `loras` and `presets` as a person uses them."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from engine_server import EngineServer
from safetensors_files import write_safetensors

from comfygen_mcp.cli.tables import table_lines

LONG_LORA = "film/styles/old-film-grain-and-dust-v3-rank64.safetensors"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stocked")
    loras = folder / "models" / "loras"
    kohya = {"ss_base_model_version": "sdxl_base_v1-0", "modelspec.trigger_phrase": "ohwx"}
    write_safetensors(loras / "sdxl" / "ohwx.safetensors", kohya)
    write_safetensors(loras / "flux_film.safetensors")
    checkpoints = ("v1-5-pruned-emaonly-fp16.safetensors", "sd_xl_base_1.0.safetensors")
    with EngineServer(folder, models={"checkpoints": checkpoints}) as server:
        yield server


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A server whose LoRA has more to say than a terminal is wide."""
    folder = tmp_path_factory.mktemp("wide")
    title = "Old film, with a title that says much more than anybody wants to know of it"
    told = {"modelspec.architecture": "flux-1-dev/lora", "modelspec.title": title}
    write_safetensors(folder / "models" / "loras" / LONG_LORA, told)
    with EngineServer(folder, models={"checkpoints": ("v1-5-pruned-emaonly-fp16.safetensors",)}) as server:
        yield server


@pytest.fixture
def comfygen(tmp_path, stocked):
    own = {
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYUI_URL": stocked.url,
        "HOME": str(tmp_path),
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }

    def run(*words):
        command = [sys.executable, "-m", "comfygen_mcp", *words]
        environ = {**os.environ, **own}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environ, check=False
        )

    return run


def test_models_are_listed_those_that_are_ready_or_one_in_full(comfygen):
    ready = comfygen("models", "--ready")
    one = comfygen("models", "flux-dev")
    row = json.loads(comfygen("models", "z-image-turbo", "--json").stdout)

    assert {"sd15", "sdxl"} <= {line.split(" ")[0] for line in ready.stdout.splitlines()}
    assert "z-image-turbo" not in ready.stdout
    assert one.stdout.startswith("sd15 (txt2img): ready\n")
    assert "Prompts: Keywords" in one.stdout
    assert (row["state"], row["missing"][0]["folder"]) == ("missing files", "diffusion_models")


def test_models_are_recommended_for_a_task_with_reasons_and_what_is_missing(comfygen):
    told = comfygen("models", "--task", "text in images")
    rows = json.loads(comfygen("models", "--task", "text in images", "--json").stdout)
    refused = comfygen("models", "--task", "upscaaale")

    assert rows[0]["state"] == "ready"
    lines = told.stdout.splitlines()
    heading = next(at for at, line in enumerate(lines) if line.startswith("model "))
    assert lines[heading + 1].startswith(rows[0]["name"])
    assert "good at text in pictures" in " ".join(told.stdout.split())
    assert ": not installed\n    diffusion_models/" in told.stdout
    assert "`comfygen models NAME` tells where to download them." in told.stdout
    assert "https://" not in told.stdout
    assert (refused.returncode, "Did you mean 'upscale'" in refused.stderr) == (2, True)


def test_loras_are_listed_for_people_and_as_json(comfygen):
    told = comfygen("loras", "--model", "sdxl")
    rows = json.loads(comfygen("loras", "ohwx", "--json").stdout)
    none = comfygen("loras", "nothing-like-it")

    lines = told.stdout.splitlines()
    assert lines[0].startswith("2 LoRAs at ")
    assert lines[2].split() == ["sdxl/ohwx.safetensors", "sdxl", "yes", "0.6-0.8", "typical", "ohwx"]
    assert lines[3].split()[:5] == ["flux_film.safetensors", "flux1", "(by", "its", "name)"]
    assert lines[1].split() == ["LoRA", "made", "for", "fits", "strength", "trigger", "words"]
    assert "Strength: 0.3-0.5 subtle" in told.stdout
    assert [row["name"] for row in rows["loras"]] == ["sdxl/ohwx.safetensors"]
    assert none.stdout.startswith("No LoRAs match 'nothing-like-it'")
    assert len(none.stdout.splitlines()) == 1


def in_terminal(columns, words, environ, folder):
    """Return what the command prints into a terminal of so many columns, in lines."""
    screen, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [sys.executable, "-m", "comfygen_mcp", *words]
    with subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environ, cwd=folder) as process:
        os.close(side)
        shown = b"".join(iter(lambda: _read(screen), b""))
        assert process.wait(60) == 0, shown
    os.close(screen)
    return shown.decode().replace("\r\n", "\n").splitlines()


def _read(screen):
    try:
        return os.read(screen, 65536)
    except OSError:
        # Linux ends a terminal's output so.
        return b""


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", [("loras",), ("generate", "--list-loras"), ("models",), ("workflows",)])
def test_lists_fit_the_terminal_and_names_stay_whole(tmp_path, wide, columns, words):
    environ = {**os.environ, "COMFYUI_URL": wide.url, "HOME": str(tmp_path), "TERM": "dumb"}
    lines = in_terminal(columns, words, {**environ, "COLUMNS": ""}, tmp_path)

    rows = [line for line in lines if not line.startswith(("Use one with", "The embedded"))]
    assert [line for line in rows if len(line) > columns] == []
    first = {line.split(" ")[0] for line in rows if line and line[0] != " "}
    names = {"loras": {LONG_LORA}, "generate": {LONG_LORA}}.get(
        words[0], {"qwen-image-edit-lightning", "sd15"}
    )
    assert names <= first


def test_a_pipe_gets_a_line_per_row_however_long(wide, tmp_path):
    environ = {**os.environ, "COMFYUI_URL": wide.url, "HOME": str(tmp_path), "COLUMNS": "40"}
    command = [sys.executable, "-m", "comfygen_mcp", "loras"]
    told = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=True)

    row = next(line for line in told.stdout.splitlines() if line.startswith(LONG_LORA))
    assert row.endswith("Old film, with a title that says much more than anybody wants to know of it")


def test_a_column_stays_in_its_place_where_wide_signs_stand_before_it():
    head, *rows = table_lines(("name", "size"), [("狐狸", "64"), ("fox\x1b[31m\n", "128")], None)

    assert (head, rows) == ("name      size", ["狐狸      64", "fox [31m  128"])


def test_presets_show_the_loras_of_lora_presets(comfygen):
    told = comfygen("presets").stdout

    assert "text_to_video" in told
    assert "wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise.safetensors:1" in told.replace("\n", "")
