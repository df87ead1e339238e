"""Videos of the preview renderer: they move, they begin where they should, and no frame is held."""

import io

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.film import Film, whole
from comfygen_mcp.engine.renderer import decode_latent, decode_video, preview_jpeg
from comfygen_mcp.engine.renderer.camera import camera_of
from comfygen_mcp.engine.renderer.moving_subject import pose_of
from comfygen_mcp.engine.renderer.plan import plan_of
from comfygen_mcp.engine.task import NodeFailure
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Lora, Model, Painting

SIZE = (192, 112)
BAR = 14
"""The label's height at that size; it does not move."""


def painting(text, *, seed=1, model="m", loras=(), strength=1.0, leftover=0.0, steps=4):
    guider = Guider(Model(model, loras), Conditioning(text), Conditioning(""), 1.0)
    return Painting(guider, seed, steps, "euler", strength, leftover)


def latent(text="a red fox in snow", *, frames=33, size=SIZE, count=1, start=None, **how):
    return Latent(*size, count, frames=frames, start=start).painted(painting(text, **how))


def difference(first, second):
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16))[:-BAR].mean())


@pytest.mark.parametrize(
    "text",
    [
        "a red fox running in snow", "a ship on the sea at sunset", "a city at night in the rain",
        "petals in spring", "northern lights over a lake", "an astronaut in space", "a goldfish underwater",
        "a balloon over mountains", "a car on a desert road", "fog in a forest", "fireflies, a castle",
        "autumn leaves, a tree", "oil painting", "a person by a lake", "a bird in a stormy sky",
    ],
)  # fmt: skip
def test_every_scene_moves_smoothly(text):
    film = decode_video(latent(text))

    first, second, middle, last = (film.paint(index) for index in (0, 1, 16, 32))

    assert 0.05 < difference(first, second) < 25
    assert difference(first, last) > 1.5
    assert difference(first, middle) > difference(first, second) / 2


def test_the_same_frame_is_the_same_whenever_it_is_asked_for():
    film = decode_video(latent())

    late, early = film.paint(20), film.paint(3)

    assert (decode_video(latent()).paint(20) == late).all()
    assert (film.paint(3) == early).all()


def test_another_seed_prompt_model_or_lora_is_another_video():
    frame = decode_video(latent()).paint(0)

    for how in ({"seed": 2}, {"text": "a castle"}, {"model": "other"}, {"loras": (Lora("style", 1.0),)}):
        assert difference(frame, decode_video(latent(**how)).paint(0)) > 1


def test_a_video_begins_with_its_picture():
    picture = decode_latent(Latent(*SIZE, 1).painted(painting("a castle at sunset")))[0]

    film = decode_video(latent("slow zoom", start=picture[None]))

    assert (film.paint(0)[:-BAR] == picture[:-BAR]).all()
    assert 0 < difference(picture, film.paint(1)) < 2
    assert difference(picture, film.paint(32)) > 4


def test_a_picture_of_another_size_fills_the_frame():
    film = decode_video(latent("rain", start=np.full((2, 40, 40, 3), 90, np.uint8), count=3))

    assert len(film) == 99
    assert abs(int(film.paint(0)[20, 20, 0]) - 90) < 2


@pytest.mark.parametrize("text", ["night falls", "as a sketch", "heavy rain", "colder"])
def test_what_the_words_say_comes_over_the_picture_in_time(text):
    picture = np.full((1, SIZE[1], SIZE[0], 3), 150, np.uint8)
    film = decode_video(latent(text, start=picture))

    changes = [difference(film.paint(0), film.paint(index)) for index in (1, 12, 32)]

    assert changes[0] < changes[1] < changes[2] + 1
    assert changes[2] > 3


def test_every_video_of_a_batch_is_another_one():
    film = decode_video(latent(frames=9, count=2))

    assert len(film) == 18
    assert difference(film.paint(0), film.paint(9)) > 2


def test_both_passes_of_a_two_stage_model_count():
    def frame(low):
        two = latent("a fox", leftover=0.5).painted(
            painting("a fox", strength=0.5, model="low", loras=(Lora(low, 1.0),) if low else ())
        )
        return decode_video(two).paint(0)

    assert difference(frame(""), frame("style")) > 0.5


def test_noise_left_on_purpose_is_seen():
    assert difference(decode_video(latent(leftover=0.5)).paint(0), decode_video(latent()).paint(0)) > 10


def test_large_frames_are_painted_smaller_and_enlarged():
    assert decode_video(latent(size=(1280, 704), frames=5)).paint(4).shape == (704, 1280, 3)


def test_a_video_that_no_sampler_painted_stands_still_without_a_label():
    film = decode_video(Latent(*SIZE, 1, frames=5))

    assert film.paint(0).std() < 20
    assert (film.paint(0) == film.paint(4)).all()


def test_the_preview_of_a_step_shows_the_first_frame():
    start = np.full((1, 64, 64, 3), 200, np.uint8)

    jpeg = preview_jpeg(latent("a fox", start=start, leftover=0.02))

    assert np.asarray(Image.open(io.BytesIO(jpeg))).mean() > 150


def plan(text, seed=1):
    return plan_of(painting(text, seed=seed), 0)


def test_the_camera_does_what_the_words_say():
    zoom_in, zoom_out = camera_of(plan("a lake, zoom in")), camera_of(plan("a lake, camera pulls out"))
    left, up = camera_of(plan("pan left over a lake")), camera_of(plan("tilt up, a castle"))

    assert zoom_in.start[2] < zoom_in.end[2]
    assert zoom_out.start[2] > zoom_out.end[2]
    assert left.start[0] > left.end[0]
    assert up.start[1] > up.end[1]
    assert camera_of(plan("left of a lake")) == camera_of(plan("left of a lake"))


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("a castle", False), ("a balloon", True), ("a whale in the sea", True), ("a flower", True),
        ("a fox", True), ("a fox running", True), ("a car", True), ("a fish", True),
        ("a rocket in space", True),
    ],
)  # fmt: skip
def test_a_subject_moves_in_its_own_way(text, moves):
    assert (pose_of(plan(text), 0.7) != pose_of(plan(text), 0.0)) is moves


def film(count, size=(8, 8)):
    return Film(*size, count, lambda index: np.full((size[1], size[0], 3), index, np.uint8))


def test_a_part_of_a_film_paints_the_frames_of_the_whole():
    part = film(9).part(3, 4).part(1, 2)

    assert [int(picture[0, 0, 0]) for picture in part] == [4, 5]
    assert part.shape == (2, 8, 8, 3)


def test_a_film_becomes_an_array_only_within_the_limits():
    seen = []

    pictures = whole(film(3), lambda: seen.append(1))

    assert pictures[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert len(seen) == 3
    assert whole("no film", lambda: None) == "no film"
    with pytest.raises(NodeFailure, match="9999 x 1024x1024"):
        whole(film(9999, (1024, 1024)), lambda: None)
