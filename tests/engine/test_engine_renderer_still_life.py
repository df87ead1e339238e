"""Still lifes: a table, a vase, the flowers that were asked for, in their number and colour."""

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.renderer import paint_latent
from comfygen_mcp.engine.renderer.bouquet import Bouquet, bouquet_of
from comfygen_mcp.engine.renderer.camera import LOW, camera_of
from comfygen_mcp.engine.renderer.colour import NAMED
from comfygen_mcp.engine.renderer.inpaint import paint_inside
from comfygen_mcp.engine.renderer.moving_sky import MovingSky
from comfygen_mcp.engine.renderer.plan import plan_of
from comfygen_mcp.engine.renderer.words import content_words
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Model, Painting

STILL_LIFE = "a blue vase with three yellow tulips on a wooden table"


def painting(text, seed=1, model="m"):
    guider = Guider(Model(model), Conditioning(text), Conditioning(""), 7.0)
    return Painting(guider, seed, 40, "euler", 1.0, 0.0)


def plan(text, seed=1):
    return plan_of(painting(text, seed), 0)


def picture(text, seed=1, size=(256, 256)):
    return paint_latent(Latent(*size, 1).painted(painting(text, seed)))[0].astype(int)


def flowers(text):
    return bouquet_of(content_words(text))


@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [
        ("three yellow tulips", "tulip", 3), ("a rose", "rose", 1), ("roses", "rose", 3),
        ("a bouquet", "daisy", 7), ("a dozen red roses", "rose", 7), ("2 big white daisies", "daisy", 2),
        ("seven sunflowers", "sunflower", 7), ("one flower", "daisy", 1),
    ],
)  # fmt: skip
def test_the_words_say_which_flowers_and_how_many(text, kind, count):
    assert (flowers(text).kind, flowers(text).count) == (kind, count)


def test_flowers_have_the_colour_named_before_them_else_their_own():
    assert flowers("a blue vase with three yellow tulips").colour == NAMED["yellow"]
    assert flowers("a red rose") == Bouquet("rose", 1, NAMED["red"])
    assert flowers("a rose").colour == NAMED["crimson"]
    assert flowers("a fox") is None


@pytest.mark.parametrize("text", [STILL_LIFE, "three yellow tulips in a blue vase", "a blue vase"])
def test_a_vase_stands_on_a_table_whatever_is_named_first(text):
    seen = plan(text)

    assert (seen.place, seen.subject, seen.subject_colour) == ("table", "vase", NAMED["blue"])
    assert seen.accents == ()


def test_a_table_may_have_a_colour_and_is_no_forest():
    assert plan("a cup on a white table").ground == NAMED["white"]
    assert plan("a cup on a pine table").place == "table"
    assert plan("a fox at a table in the forest").place == "table"
    assert plan("a vase in the desert").place == "desert"


@pytest.mark.parametrize("seed", range(3))
def test_vase_and_flowers_are_seen_in_their_colours(seed):
    pixels = picture(STILL_LIFE, seed)

    blue = pixels[..., 2] - pixels[..., 0] > 60
    yellow = (pixels[..., 0] - pixels[..., 2] > 70) & (pixels[..., 1] > 140)
    assert blue.mean() > 0.04
    assert yellow.mean() > 0.04
    assert np.nonzero(yellow)[0].mean() < np.nonzero(blue)[0].mean()


def test_more_flowers_are_more_petals():
    def petals(text):
        pixels = picture(text)
        return (pixels[..., 2] - pixels[..., 0] > 60).sum()

    assert petals("one blue rose in a white vase") < petals("three blue roses in a white vase")


@pytest.mark.parametrize("text", ["five blue tulips in a meadow", "two blue sunflowers", "a blue rose"])
def test_flowers_grow_out_of_the_ground_too(text):
    pixels = picture(f"{text}, golden autumn")

    assert plan(text).subject == "flower"
    assert (pixels[120:, :, 2] - pixels[120:, :, 0] > 60).any()


@pytest.mark.parametrize("seed", range(40))
def test_nobody_gets_a_night_unasked(seed):
    assert not plan("a blue car in the city", seed).is_dark


def test_clouds_do_not_end_at_the_upper_edge():
    for seed in range(4):
        pixels = picture("clouds over a meadow, day", seed, (256, 192))

        assert np.abs(np.diff(pixels[0], axis=0)).max() < 12


def test_clouds_drift_where_the_words_say_so():
    def moved(text):
        sky = MovingSky(plan(text), (192, 112))
        return np.abs(np.asarray(sky.at(0.0), int) - np.asarray(sky.at(3.0), int)).mean()

    assert moved("clouds drift over the lake, day") > 3
    assert moved("clouds drift over the lake, day") > moved("a lake, day")


def test_the_camera_stays_low_for_a_subject_on_the_ground():
    assert camera_of(plan("a fox")).end[1] == camera_of(plan("a fox, zoom in")).end[1] == LOW
    assert camera_of(plan("a lake, zoom in")).end[1] == 0
    assert camera_of(plan("tilt up, a castle")).end[1] < 0


def ellipse(size):
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    return (np.hypot((x - 0.2) / 0.4, (y - 0.1) / 0.45) < 1).astype(np.float32)


def inside(text, mask=None):
    canvas = Image.new("RGB", (200, 160), (90, 120, 160))
    mask = ellipse(canvas.size) if mask is None else mask
    return np.asarray(paint_inside(canvas, mask, plan(text)), int), mask > 0.5


def test_a_ball_in_the_colour_asked_fills_a_round_mask():
    for text in ("a golden ball", "a golden pomegranate"):
        pixels, covered = inside(text)

        golden = (pixels[..., 0] - pixels[..., 2] > 50) & covered
        assert 0.35 < golden.sum() / covered.sum() < 0.95
        assert (pixels[0, 0] == (90, 120, 160)).all()


def test_a_small_hole_is_inpainted_and_not_outpainted():
    mask = np.zeros((160, 200), np.float32)
    mask[60:80, 60:80] = 1

    pixels, covered = inside("a red ball", mask)

    assert (pixels[covered][:, 0] - pixels[covered][:, 2]).max() > 60


@pytest.mark.parametrize("text", ["remove the fox", "nothing"])
def test_what_is_to_go_is_filled_from_its_surroundings(text):
    pixels, _ = inside(text)

    assert np.abs(pixels - (90, 120, 160)).max() < 4


def test_a_named_place_in_most_of_the_picture_is_painted_whole():
    mask = np.zeros((160, 200), np.float32)
    mask[10:, :] = 1

    assert inside("a fox in the desert", mask)[0][100:].std() > 10
    assert inside("blue sky")[0].std() > 1
