"""Frames: a length in frames or seconds becomes one that the model can make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.frames import resolve_frames
from comfygen_mcp.models import Limits

WAN = Limits(frame_step=4, max_frames=121)
LTX = Limits(frame_step=8, max_frames=257)


def resolved(limits=WAN, **asked):
    given_ = {"frames": None, "seconds": None, "fps": 16.0, "default": 81, **asked}
    return resolve_frames(**given_, limits=limits)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({}, 81),
        ({"frames": 49}, 49),
        ({"seconds": 5}, 81),
        ({"seconds": 5, "fps": 24.0}, 121),
        ({"seconds": 0.01}, 1),
        ({"frames": 1}, 1),
    ],
)
def test_a_length_that_the_model_can_make_is_taken_as_it_is(asked, made):
    assert resolved(**asked) == resolved(frames=made)
    assert resolved(**asked).frames == made
    assert resolved(**asked).notes == ()


def test_frames_that_break_the_rule_become_the_nearest_that_keep_it_and_say_so():
    made = resolved(frames=80)

    assert made.frames == 81
    assert made.notes == ("frames=80 became 81: this model makes n x 4 + 1 frames.",)
    assert resolved(LTX, frames=100).frames == 97


@pytest.mark.parametrize("frames", [0, -5, 122, 10**9])
def test_a_length_beyond_the_model_is_refused_with_what_is_possible(frames):
    with pytest.raises(BadRequest, match=r"1 to 121 frames \(7.5 s at 16 frames a second\)"):
        resolved(frames=frames)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_no_length_is_refused(seconds):
    with pytest.raises(BadRequest, match="is no length"):
        resolved(seconds=seconds)


def test_frames_and_seconds_together_are_refused():
    with pytest.raises(BadRequest, match="frames=81 and seconds=5 are both given"):
        resolved(frames=81, seconds=5)


@given(st.integers(1, 257), st.sampled_from([1, 4, 8]), st.integers(1, 257))
def test_whatever_is_asked_for_the_result_keeps_the_rule_and_the_limit(frames, step, most):
    limits = Limits(frame_step=step, max_frames=most)
    if frames > most:
        with pytest.raises(BadRequest):
            resolved(limits, frames=frames)
        return
    made = resolved(limits, frames=frames).frames

    assert (made - 1) % step == 0
    assert 1 <= made <= most
