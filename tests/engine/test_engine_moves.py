"""Which way things move: weather falls, subjects go where they look, the camera obeys the words."""

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.renderer.moving_picture import MovingPicture
from comfygen_mcp.engine.renderer.moving_subject import MovingSubject
from comfygen_mcp.engine.renderer.moving_weather import MovingWeather
from comfygen_mcp.engine.renderer.plan import plan_of
from comfygen_mcp.engine.values import Conditioning, Guider, Model, Painting

SIZE = (192, 128)
GREY = (90, 100, 110)


def plan(text, seed=1):
    guider = Guider(Model("m"), Conditioning(text), Conditioning(""), 1.0)
    return plan_of(Painting(guider, seed, 4, "euler", 1.0, 0.0), 0)


def grey():
    return Image.new("RGB", SIZE, GREY)


def added(image):
    """How much brighter or darker each pixel is than the grey that was painted on."""
    return np.abs(np.asarray(image, np.float32) - np.array(GREY, np.float32)).sum(-1)


def weather(text, seconds):
    image = grey()
    MovingWeather(plan(text), SIZE).fall(image, seconds)
    return added(image)


def fallen(before, after):
    """By how many rows, and a few columns, *before* is to be moved to look most like *after*."""

    def likeness(down, across):
        return float((np.roll(before, (down, across), (0, 1)) * after).sum())

    moves = [(down, across) for down in range(-12, 25) for across in range(-12, 13)]
    return max(moves, key=lambda move: likeness(*move))


@pytest.mark.parametrize(("text", "rows"), [("rain", 19), ("petals", 1), ("autumn leaves", 2)])
def test_weather_falls_at_its_speed(text, rows):
    # A tenth of a second, in a picture of 128 rows.
    down, _ = fallen(weather(text, 0.0), weather(text, 0.1))

    assert abs(down - rows) <= 1
    assert down > 0


def test_snow_falls_slower_than_rain():
    down, _ = fallen(weather("snow", 0.0), weather("snow", 0.4))

    assert 2 <= down <= 12


def test_fireflies_rise_and_glow_and_fade():
    glow = [float(weather("fireflies", seconds).sum()) for seconds in (0.0, 0.6, 1.8)]

    assert glow[1] < glow[0] < glow[2]
    assert fallen(weather("fireflies", 0.0), weather("fireflies", 2.0))[0] < 0


def test_weather_sets_in_with_its_share():
    shown = []
    for share in (0.0, 0.5, 1.0):
        image = grey()
        MovingWeather(plan("rain"), SIZE).fall(image, 1.0, share)
        shown.append(float(added(image).sum()))

    assert shown[0] == 0
    assert shown[0] < shown[1] < shown[2]


def test_no_weather_falls_in_space():
    assert weather("snow in space", 1.0).sum() == 0


def middle_of(text, seconds, seed):
    """Return where the subject then is, as the middle of what it covers."""
    image = grey()
    MovingSubject(plan(text, seed), SIZE).stand(image, seconds, 0.0)
    cover = added(image) > 30
    rows, columns = np.nonzero(cover)
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("text", ["a fox running", "a car", "a ship on the sea"])
def test_who_moves_goes_where_it_looks(text, seed):
    (before, _), (after, _) = (middle_of(text, seconds, seed) for seconds in (0.0, 0.8))

    toward = -1 if plan(text, seed).mirrored else 1
    assert toward * (after - before) > 0.3


def test_a_balloon_rises_and_a_castle_stays():
    assert middle_of("a balloon", 1.5, 1)[1] < middle_of("a balloon", 0.0, 1)[1] - 0.5
    assert middle_of("a castle", 1.5, 1) == middle_of("a castle", 0.0, 1)


def filmed(text, share=1.0):
    """Film a picture of a white square in its middle; return where it is seen, and how large."""
    start = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
    start[54:74, 86:106] = 240
    frame = np.asarray(MovingPicture(start, plan(text), SIZE).at(share, 0.0))
    rows, columns = np.nonzero(frame[..., 0] > 140)
    return float(columns.mean()), float(rows.mean()), len(rows)


def test_the_camera_comes_nearer():
    assert filmed("zoom in", 0.0)[2] < filmed("zoom in", 0.5)[2] < filmed("zoom in", 1.0)[2]


def test_what_is_filmed_goes_the_other_way_than_the_camera():
    x, y, _ = filmed("pan left", 0.0)

    assert filmed("pan left")[0] > x + 2 > x - 2 > filmed("pan right")[0]
    assert filmed("tilt up")[1] > y + 2 > y - 2 > filmed("tilt down")[1]
