"""Estimates: a long run is announced from what jobs like it took."""

from datetime import UTC, datetime

import pytest

from comfygen_mcp.ids import new_job_id
from comfygen_mcp.models import Job
from comfygen_mcp.services.estimates import Estimates

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
