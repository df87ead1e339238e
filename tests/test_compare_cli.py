"""`comfygen compare` as a person uses it: a folder, a sheet, Ctrl-C, a killed process, going on."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from compare_gates import Held, engine_behind
from engine_server import EngineServer
from observe import jobs_on, wait_until
from PIL import Image

QUICK = ("--size", "256x256", "--steps", "2")
TWO = ("-m", "sd15,sdxl", *QUICK)
FOLDER = re.compile(r"\d{8}-\d{6}-a-red-fox")


@pytest.fixture
def environ_for(tmp_path):
    """Return a function: address → the environment of a command that works with it."""

    def environ(url):
        own = {
            "COMFYGEN_STORE": str(tmp_path / "gallery"),
            "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
            "COMFYGEN_INDEX": str(tmp_path / "index"),
            "COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"),
            "COMFYUI_URL": url,
            "HOME": str(tmp_path),
            "COLUMNS": "160",
            "NO_COLOR": "1",
        }
        return {**os.environ, **own}

    return environ


@pytest.fixture
def begin(tmp_path, environ_for):
    """Return a function that starts `comfygen compare` and returns the process."""

    def started(url, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "comfygen_mcp", "compare", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environ_for(url),
        )

    return started


@pytest.fixture
def compare(begin, engine):
    """Return a function that runs `comfygen compare` to its end: (exit code, stdout, stderr)."""

    def run(*words, url=engine.url):
        process = begin(url, *words)
        out, told = process.communicate(timeout=120)
        return process.returncode, out, told

    return run


def record_in(folder):
    return json.loads((folder / "compare.json").read_text(encoding="utf-8"))


def stored_records(tmp_path):
    return [record_in(file.parent) for file in (tmp_path / "gallery" / "c").rglob("compare.json")]


def test_a_comparison_becomes_a_folder_with_its_pictures_record_and_sheet(compare, tmp_path):
    code, out, told = compare("a red fox", *TWO, "--seed", "7", "--negative", "text", "-o", "made")

    assert code == 0, told
    folder = tmp_path / out.strip()
    assert FOLDER.fullmatch(folder.name)
    assert {file.name for file in folder.iterdir()} == {
        "a-red-fox--sd15.png",
        "a-red-fox--sdxl.png",
        "compare.json",
        "contact-sheet.png",
    }
    with Image.open(folder / "a-red-fox--sd15.png") as picture:
        assert picture.size == (256, 256)
    record = record_in(folder)
    assert [(a["file"], a["seed"], a["error"]) for a in record["attempts"]] == [
        ("a-red-fox--sd15.png", 7, None),
        ("a-red-fox--sdxl.png", 7, None),
    ]
    assert record == stored_records(tmp_path)[0]
    assert {a["metadata"]["negative_prompt"] for a in record["attempts"]} == {"text"}
    assert "sdxl: " in told
    assert "2 of 2 cells done, seed 7" in told


def test_a_grid_names_its_files_by_what_varies_and_needs_no_sheet(compare, tmp_path):
    words = ("-m", "sd15", "--size", "256x256", "--steps", "1,2", "--cfg", "3,7.5", "--no-contact-sheet")
    code, out, told = compare("a red fox", *words)

    assert code == 0, told
    folder = tmp_path / out.strip()
    assert folder.parent == tmp_path / "comparisons"
    assert sorted(file.name for file in folder.glob("*.png")) == [
        f"a-red-fox--sd15--steps-{steps}--cfg-{cfg}.png" for steps in (1, 2) for cfg in ("3", "7.5")
    ]
    assert not (folder / "contact-sheet.png").exists()


def test_as_json_it_is_one_document_with_the_folder(compare):
    code, out, told = compare("a red fox", *TWO, "--json")

    view = json.loads(out)
    assert code == 0, told
    assert (view["status"], view["done"]) == ("completed", 2)
    assert Path(view["folder"], "compare.json").is_file()


def test_a_model_that_fails_is_told_and_the_rest_is_made(compare, tmp_path):
    code, out, told = compare("a red fox", "-m", "upscale", "-m", "sd15", *QUICK)

    assert code == 0
    assert "upscale: failed: Model upscale cannot make a picture from text" in told
    assert "try the others again with: comfygen compare --resume" in told
    assert {file.name for file in (tmp_path / out.strip()).glob("*.png")} == {
        "a-red-fox--sd15.png",
        "contact-sheet.png",
    }


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["x", "-m", "sd15"], 2, "only one cell"),
        (["x", "-m", "sd15,sd51"], 2, "Unknown model 'sd51'"),
        (["", "-m", "sd15,sdxl"], 2, "prompt is empty"),
        (["x", "-m", "sd15", "--steps", "few,many"], 2, "few"),
        (["x", "-m", "sd15,sdxl", "--sise", "1x1"], 2, "--size"),
        (["x", "-m", "sd15,sdxl", "-o", "/proc/no/such"], 2, "/proc/no/such"),
        (["x", "-m", "sdxl", "--seed", "4", "--seeds", "1,2"], 2, "--seed 4 contradicts --seeds 1,2"),
        (["x", "-m", "sd15"], 2, "--steps 4,8"),
        (["x", "--resume", "01a1fed2"], 2, "leave out --resume"),
        (["--resume", "01a1fed2-537c-765d-85b1-c3095859a643"], 2, "Unknown comparison"),
    ],
)
def test_wrong_words_get_an_exit_code_and_a_hint(compare, tmp_path, words, code, named):
    ended, out, told = compare(*words)

    assert (ended, out) == (code, "")
    assert named in told
    assert "Traceback" not in told
    assert not (tmp_path / "gallery" / "g").exists()


def test_a_host_that_is_away_is_told_by_its_own_exit_code(compare, tmp_path):
    code, out, told = compare("a red fox", *TWO, url="http://127.0.0.1:9")

    assert code == 3
    assert (tmp_path / out.strip() / "compare.json").is_file()
    assert "None of the 2 cells" in told
    assert "comfygen compare --resume" in told


def test_models_that_cannot_do_it_are_wrong_input_and_nothing_to_resume(compare, tmp_path):
    code, out, told = compare("a red fox", "-m", "upscale,upscale-lanczos", "--json")

    assert code == 2
    assert Path(json.loads(out)["folder"], "compare.json").is_file()
    assert "cannot make a picture from text" in told
    assert "--resume" not in told


def test_a_dry_run_tells_what_cannot_be_made_and_how_to_keep_the_seed(compare):
    words = ("-m", "sd15,upscale", "--loras", "none,stile", "--dry-run")
    code, out, told = compare("a red fox", *words)
    (seed,) = re.findall(r"--seed (\d+)", out)

    assert code == 0, told
    assert "Not ready: upscale: Model upscale cannot make a picture from text" in out
    assert re.search(r"Not ready: sd15: LoRA 'stile' is not in .* Nearest installed: style", out)
    assert f"seed {seed}:" in out


def test_strengths_without_a_lora_are_said_to_change_nothing(compare):
    words = ("-m", "sd15", "--loras", "none,style", "--strengths", "0.4", "--strengths", "0.8", "--dry-run")
    _, out, _ = compare("a red fox", *words)

    assert "4 cells" in out
    assert "Without a LoRA a strength changes nothing" in out
    assert "Not ready" not in out


def test_a_picture_deleted_from_the_store_is_left_out_of_the_folder(compare, tmp_path):
    compare("a red fox", *TWO, "-o", "made")
    (record,) = stored_records(tmp_path)
    next((tmp_path / "gallery" / "g").rglob("*.png")).unlink()
    code, out, told = compare("--resume", record["id"], "-o", "again")

    assert code == 0, told
    assert len(list((tmp_path / out.strip()).glob("a-red-fox--*.png"))) == 1


def test_a_dry_run_lists_the_cells(compare, tmp_path):
    code, out, _ = compare("a red fox", *TWO, "--cfg", "3,7", "--dry-run")
    as_json = json.loads(compare("a red fox", *TWO, "--dry-run", "--json")[1])

    assert code == 0
    assert "- sdxl, cfg 7" in out
    assert (as_json["status"], as_json["total"]) == ("planned", 2)
    assert not (tmp_path / "gallery").exists()
    assert not (tmp_path / "comparisons").exists()


@pytest.mark.anyio
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_ctrl_c_stops_the_cell_on_its_host_and_says_how_to_go_on(begin, slow_engine, tmp_path, ending):
    prompt = f"interrupted by {ending.name}"
    words = ("-m", "sd15", "--size", "256x256", "--steps", "1,2000", "-o", "made")
    process = begin(slow_engine.url, prompt, *words)

    def second_runs():
        return any("2000" in json.dumps(job) for job in jobs_on(slow_engine.url, prompt, "in_progress"))

    await wait_until(second_runs)
    process.send_signal(ending)
    out, told = process.communicate(timeout=60)

    (record,) = stored_records(tmp_path)
    assert (process.returncode, out) == (130, "")
    assert f"comfygen compare --resume {record['id']} --output made" in told
    assert "Traceback" not in told
    assert jobs_on(slow_engine.url, prompt, "cancelled")
    assert [a["status"] for a in record["attempts"]] == ["done", "running"]
    assert len(list((tmp_path / "made").rglob("*--steps-1.png"))) == 1


@pytest.mark.anyio
async def test_a_killed_process_loses_nothing_and_another_one_goes_on(begin, tmp_path):
    held = Held(free=1)
    with engine_behind(held.gate) as engine:
        process = begin(engine.url, "a red fox", "-m", "sd15,sdxl,z-image-turbo", *QUICK, "-o", "made")
        await wait_until(lambda: held.gate.counted == 2)
        process.kill()
        process.communicate(timeout=30)
        (before,) = stored_records(tmp_path)
        held.released.set()
        resumed = begin(engine.url, "--resume", before["id"][:13], "-o", "made")
        out, told = resumed.communicate(timeout=120)

    assert resumed.returncode == 0, told
    assert [a["status"] for a in before["attempts"]] == ["done", "running"]
    (folder,) = (tmp_path / "made").iterdir()
    assert folder == tmp_path / out.strip()
    after = record_in(folder)
    assert after["attempts"][0] == before["attempts"][0]
    assert [(a["cell"], a["status"]) for a in after["attempts"]] == [
        (0, "done"),
        (1, "cancelled"),
        (1, "done"),
        (2, "done"),
    ]
    assert "1 of 3 cells are done already" in told
    assert "failed" not in told
    assert told.index("sdxl: ") < told.index("z-image-turbo: ")
    assert not re.search(r"^sd15: ", told, re.MULTILINE)
    assert {a["seed"] for a in after["attempts"]} == {before["cells"][0]["seed"]}
    assert len(list(folder.glob("a-red-fox--*.png"))) == 3
    assert (folder / "contact-sheet.png").is_file()


def test_a_cell_whose_picture_was_stored_before_the_process_was_killed_is_not_made_again(
    compare, tmp_path, engine
):
    compare("a red fox", *TWO, "-o", "made")
    (file,) = (tmp_path / "gallery" / "c").rglob("compare.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    done = record["attempts"][1]
    # What a process leaves that is killed between the picture and its note.
    unsettled = {**done, "status": "running", "generation_id": None, "key": None, "finished_at": None}
    changed = {**record, "status": "running", "attempts": [record["attempts"][0], unsettled]}
    file.write_text(json.dumps(changed), encoding="utf-8")
    code, _, told = compare("--resume", record["id"], "-o", "again", url="http://127.0.0.1:9")

    assert code == 0, told
    (resumed,) = stored_records(tmp_path)
    assert [a["generation_id"] for a in resumed["attempts"]] == [
        a["generation_id"] for a in record["attempts"]
    ]
    assert {a["status"] for a in resumed["attempts"]} == {"done"}


def test_resuming_goes_into_the_same_folder_and_a_finished_one_is_only_copied(compare, tmp_path, engine):
    first = compare("a red fox", *TWO, "-o", "made")[1].strip()
    (record,) = stored_records(tmp_path)
    (tmp_path / first / "contact-sheet.png").unlink()
    again = compare("--resume", record["id"], "-o", "made", url="http://127.0.0.1:9")

    assert again[0] == 0, again[2]
    assert again[1].strip() == first
    assert (tmp_path / first / "contact-sheet.png").is_file()


def test_a_folder_of_another_comparison_is_left_alone(compare, tmp_path):
    first = tmp_path / compare("a red fox", *TWO, "-o", "made")[1].strip()
    (record,) = stored_records(tmp_path)
    (first / "compare.json").write_text("mine", encoding="utf-8")
    second = tmp_path / compare("--resume", record["id"], "-o", "made")[1].strip()

    assert second.name == f"{first.name}-2"
    assert (first / "compare.json").read_text(encoding="utf-8") == "mine"
    assert record_in(second)["id"] == record["id"]


def test_a_folder_that_cannot_be_written_loses_nothing(compare, tmp_path):
    first = tmp_path / compare("a red fox", *TWO, "-o", "made")[1].strip()
    (record,) = stored_records(tmp_path)
    (first / "contact-sheet.png").unlink()
    (first / "contact-sheet.png").mkdir()
    code, out, told = compare("--resume", record["id"], "-o", "made")

    assert (code, out) == (2, "")
    assert "cannot be written" in told
    assert f"--resume {record['id']}" in told


def test_two_hosts_of_the_configuration_are_compared_when_none_is_named(compare, tmp_path, engine):
    with EngineServer(tmp_path / "other") as other:
        block = "workflow: sd15, model: v1-5-pruned-emaonly-fp16.safetensors}\n"
        (tmp_path / "comfygen.yaml").write_text(
            f"backends:\n  desk: {{base_url: '{engine.url}', {block}"
            f"  cellar: {{base_url: '{other.url}', {block}",
            encoding="utf-8",
        )
        code, out, told = compare("a red fox", *QUICK)

    assert code == 0, told
    assert {file.name for file in (tmp_path / out.strip()).glob("a-red-fox--*")} == {
        "a-red-fox--desk.png",
        "a-red-fox--cellar.png",
    }
