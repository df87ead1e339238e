"""Estimates: a long run is announced from what jobs like it took."""

import json
import os
import re
import sys
from datetime import UTC, datetime

import anyio
import pytest

from comfygen_mcp.ids import new_job_id
from comfygen_mcp.models import Job
from comfygen_mcp.services.estimates import Estimates
from comfygen_mcp.services.run_times import KEYS_KEPT, LARGEST_FILE, RUNS_KEPT, Run, RunTimes

NOW = datetime(2026, 11, 21, 8, 41, tzinfo=UTC)


def job(**fields):
    usual = {"kind": "txt2img", "backend": "sd15", "workflow": "sd15.json", "model": "m", "prompt": "a fox"}
    made = {"seed": 1, "steps": 20, "width": 512, "height": 512, "values": {}, "timeout_s": 300}
    return Job(id=new_job_id(NOW), created_at=NOW, **{**usual, **made, **fields})


@pytest.fixture
def estimates():
    known = Estimates()
    known.learn(job(), 10.0)
    return known


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 10),
        ({"count": 4}, 40),
        ({"steps": 40}, 20),
        ({"width": 1024}, 20),
        ({"backend": "other"}, None),
        ({"workflow": "sdxl.json"}, None),
    ],
)
def test_work_is_pixels_times_steps_times_pictures(estimates, fields, seconds):
    assert estimates.seconds(job(**fields)) == (None if seconds is None else pytest.approx(seconds))


def test_the_middle_of_the_last_five_runs_counts(estimates):
    for seconds in (100.0, 12.0, 12.0, 12.0, 12.0):
        estimates.learn(job(), seconds)

    assert estimates.seconds(job()) == pytest.approx(12)


@pytest.mark.parametrize(
    ("runs", "asked", "seconds"),
    [
        # Loading, decoding and saving take 4 s whatever is made, each step half a second.
        (((2, 5.0), (10, 9.0)), 20, 14.0),
        (((2, 5.0), (2, 5.2), (10, 9.0), (10, 60.0), (4, 6.0)), 20, 14.0),
        # Where more work took less time, something else decided.
        (((2, 5.0), (10, 4.0)), 20, 4.5),
        # Of one short run nobody knows what was fixed: a little more is judged by it, much more is not.
        (((1, 1.0),), 4, 4.0),
        (((1, 1.0),), 20, None),
        (((20, 30.0),), 300, 450.0),
        (((20, 30.0),), 400, None),
        (((1, 1.0), (2, 1.5)), 65, None),
    ],
)
def test_the_fixed_part_is_told_apart_and_nothing_is_guessed_far_away(runs, asked, seconds):
    known = Estimates()
    for steps, took in runs:
        known.learn(job(steps=steps), took)

    assert known.seconds(job(steps=asked)) == (None if seconds is None else pytest.approx(seconds))


def test_runs_are_remembered_beyond_the_process_and_shared_with_others(tmp_path):
    file = tmp_path / "cache" / "run_times.json"
    one, other = Estimates(RunTimes(file)), Estimates(RunTimes(file))
    one.learn(job(), 10.0)
    assert other.seconds(job()) == pytest.approx(10)

    other.learn(job(), 30.0)
    other.learn(job(), 30.0)

    assert one.seconds(job()) == pytest.approx(30)
    assert [entry.name for entry in file.parent.iterdir()] == ["run_times.json"]


def test_the_file_keeps_the_newest_runs_of_the_newest_keys(tmp_path):
    times = RunTimes(tmp_path / "run_times.json")
    for number in range(KEYS_KEPT + 5):
        times.add(f"model {number}", Run(1.0, 2.0))
    for number in range(RUNS_KEPT + 3):
        times.add("model 100", Run(1.0, number + 1.0))
    again = RunTimes(tmp_path / "run_times.json")

    assert (len(again.of("model 0")), len(again.of("model 204"))) == (0, 1)
    assert [run.seconds for run in again.of("model 100")] == [float(n) for n in range(4, RUNS_KEPT + 4)]
    assert len(json.loads((tmp_path / "run_times.json").read_text())) == KEYS_KEPT


@pytest.mark.parametrize(
    "written",
    [
        "",
        "[]",
        "{",
        '{"sd15 sd15.json": 5}',
        '{"sd15 sd15.json": [[1], "x", [0, 1], [1, null], [true]]}',
        "[" * 9999,
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path, written):
    file = tmp_path / "run_times.json"
    file.write_text(written, encoding="utf-8")
    known = Estimates(RunTimes(file))

    assert known.seconds(job()) is None
    known.learn(job(), 10.0)
    assert Estimates(RunTimes(file)).seconds(job()) == pytest.approx(10)


def test_a_huge_file_is_not_read(tmp_path):
    file = tmp_path / "run_times.json"
    file.write_text('{"sd15 sd15.json": [[1, 1]]}' + " " * LARGEST_FILE, encoding="utf-8")

    assert Estimates(RunTimes(file)).seconds(job()) is None


def test_a_place_that_cannot_be_written_is_no_trouble(tmp_path):
    (tmp_path / "a-file").touch()
    known = Estimates(RunTimes(tmp_path / "a-file" / "run_times.json"))
    known.learn(job(), 10.0)

    assert known.seconds(job()) == pytest.approx(10)


@pytest.mark.anyio
async def test_a_fresh_server_announces_what_a_command_has_learned(
    connect, settings_for, slow_engine, tmp_path
):
    settings = settings_for(COMFYUI_URL=slow_engine.url)
    environ = {
        "COMFYUI_URL": slow_engine.url,
        "COMFYGEN_CACHE": str(settings.cache),
        "COMFYGEN_STORE": settings.store,
        "HOME": str(tmp_path),
    }
    for steps in ("4", "40"):
        command = ["generate", "a fox", "-m", "sd15", "--size", "128x128", "--steps", steps]
        await anyio.run_process(
            [sys.executable, "-m", "comfygen_mcp", *command], env={**os.environ, **environ}
        )

    async with connect(settings) as client:
        request = {"prompt": "a fox", "model": "sd15", "size": "128x128", "steps": 800, "wait_s": 0}
        started = await client.call_tool("generate_image", request)
        await client.call_tool("cancel_job", {"job_id": started.structured_content["job_id"]})

    announced = started.structured_content["announcement"]
    assert re.fullmatch(r"A picture with sd15: about \d+ s, judging by the last runs\.", announced)
    assert announced in started.content[0].text


def test_a_short_run_is_not_announced(estimates):
    assert estimates.announcement(job()) is None


def test_a_long_batch_is_announced_as_count_times_one(estimates):
    assert estimates.announcement(job(count=4)) == (
        "4 pictures with sd15: about 40 s (4 x 10 s), judging by the last runs."
    )


def test_minutes_are_told_as_minutes(estimates):
    assert "about 1.7 min" in estimates.announcement(job(steps=200))


def test_a_first_single_picture_is_not_announced():
    assert Estimates().announcement(job()) is None


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"frames": 81}, "A video of 81 frames with sd15: this may take long. One usually takes: 2 min."),
        ({"count": 3}, "3 pictures with sd15: this may take long. One usually takes: 2 min."),
    ],
)
def test_a_first_video_or_batch_is_announced_with_what_the_workflow_says_of_itself(fields, text):
    assert Estimates().announcement(job(**fields), "2 min") == text
