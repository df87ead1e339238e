"""Image to image, edits and inpainting: what was asked for is seen, and the rest stays."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.renderer import decode_latent, paint_latent
from comfygen_mcp.engine.renderer.edit import standing_out
from comfygen_mcp.engine.renderer.filling import filled
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Model, Painting

SIZE = (192, 144)


def painting(text, *, strength=1.0, references=(), seed=1):
    guider = Guider(Model("m"), Conditioning(text, references=references), Conditioning(""), 7.0)
    return Painting(guider, seed, 40, "euler", strength, 0.0)


def scene(text, seed=1):
    return paint_latent(Latent(*SIZE, 1).painted(painting(text, seed=seed)))


FOX = scene("a red fox in a meadow, day", 5)
SEEN = 3.0


def edited(text, base=FOX, *others, **how):
    return paint_latent(Latent(*SIZE, 1).painted(painting(text, references=(base, *others), **how)))[0]


def difference(first, second):
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())


def likeness(first, second):
    grey = [
        np.asarray(Image.fromarray(picture).convert("L"), np.float32).ravel() for picture in (first, second)
    ]
    return np.corrcoef(*grey)[0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "turn it into night", "make it sunset", "let it snow", "as a pencil sketch", "make the fox blue",
        "brighter", "darker", "vivid colours", "muted", "warmer", "colder", "blur it", "make it nicer",
        "add a balloon",
    ],
)  # fmt: skip
def test_an_instruction_changes_the_picture_and_keeps_it_recognisable(text):
    after = edited(text)

    assert difference(FOX[0], after) > SEEN
    assert likeness(FOX[0], after) > 0.6


def test_night_is_darker_and_a_colour_goes_to_what_stands_out():
    blue = edited("make the fox blue").astype(int)
    subject = standing_out(Image.fromarray(FOX[0])) > 0.5

    assert edited("turn it into night").mean() < 0.8 * FOX[0].mean()
    assert 0.02 < subject.mean() < 0.4
    assert (blue[subject][:, 2] - blue[subject][:, 0]).mean() > 40
    assert (FOX[0].astype(int)[subject][:, 2] - FOX[0].astype(int)[subject][:, 0]).mean() < 20


def test_another_place_comes_up_around_what_stands_out():
    after = edited("change the background to a beach")
    subject = standing_out(Image.fromarray(FOX[0])) > 0.9

    assert difference(FOX[0][subject], after[subject]) < 12
    assert difference(FOX[0], after) > 10


def test_where_nothing_stands_out_the_middle_counts():
    mask = standing_out(Image.new("RGB", (160, 120), (90, 90, 90)))

    assert mask[60, 80] > 0.9
    assert mask[0, 0] < 0.1


def test_further_pictures_are_shown_small_in_the_corner():
    other = np.full((1, 90, 90, 3), 255, np.uint8)

    one, two = edited("make it nicer"), edited("make it nicer", FOX, other)

    changed = np.abs(one.astype(int) - two).max(-1) > 8
    assert changed[:50, -50:].mean() > 0.3
    assert changed[70:].sum() == 0


def test_a_reference_of_another_size_fills_the_picture():
    latent = Latent(96, 96, 1).painted(painting("make it nicer", references=(FOX,)))

    assert decode_latent(latent).shape == (1, 96, 96, 3)


def test_a_weaker_edit_stays_nearer_to_the_latent():
    base = scene("a castle at sunset", 3)

    def after(strength):
        latent = Latent(*SIZE, 1, base=base)
        return paint_latent(latent.painted(painting("make it nicer", strength=strength, references=(FOX,))))[
            0
        ]

    assert difference(base[0], after(0.2)) < difference(base[0], after(0.9))


@pytest.mark.parametrize("text", ["a robot", "a lake in the mountains", "night, rain"])
@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_inpainting_paints_inside_the_mask_only(text, strength):
    mask = np.zeros((1, SIZE[1], SIZE[0]), np.float32)
    mask[:, 40:120, 20:110] = 1

    after = paint_latent(Latent(*SIZE, 1, base=FOX, mask=mask).painted(painting(text, strength=strength)))

    assert (after[0][mask[0] == 0] == FOX[0][mask[0] == 0]).all()
    assert difference(after[0][mask[0] == 1], FOX[0][mask[0] == 1]) > SEEN


def test_a_soft_mask_goes_over_gently():
    mask = np.zeros((1, SIZE[1], SIZE[0]), np.float32)
    mask[:, 40:120, 20:110] = 1
    soft = np.where(mask > 0, np.float32(0.55), 0)

    whole, half = (
        paint_latent(Latent(*SIZE, 1, base=FOX, mask=m).painted(painting("a robot")))[0] for m in (mask, soft)
    )

    assert difference(half, FOX[0]) < 0.8 * difference(whole, FOX[0])


def test_a_mask_over_everything_makes_a_new_picture():
    everything = np.ones((1, SIZE[1], SIZE[0]), np.float32)

    after = paint_latent(
        Latent(*SIZE, 1, base=FOX, mask=everything).painted(painting("a castle at sunset", seed=3))
    )

    assert difference(after, scene("a castle at sunset", 3)) < 12


@pytest.mark.parametrize("text", ["more of it", "a wide forest"])
def test_outpainting_continues_the_picture_beyond_its_edges(text):
    mask = np.ones((1, SIZE[1], SIZE[0]), np.float32)
    mask[:, :, :140] = 0
    base = FOX.copy()
    base[:, :, 140:] = 128

    after = paint_latent(Latent(*SIZE, 1, base=base, mask=mask).painted(painting(text)))[0].astype(int)

    assert (after[:, :140] == FOX[0][:, :140]).all()
    assert after[:, 140:].std() > 15
    assert np.abs(after[:, 139] - after[:, 140]).mean() < 14


def test_a_hole_is_filled_with_the_colours_to_its_sides():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[20:] = 200
    mask = np.zeros((40, 60), np.float32)
    mask[5:35, 20:40] = 1

    whole = np.asarray(filled(Image.fromarray(picture), mask))

    assert whole[8, 30].max() < 60
    assert whole[32, 30].min() > 140


def test_a_hole_at_the_edge_takes_the_one_side_that_it_has():
    picture = np.full((40, 60, 3), 90, np.uint8)
    mask = np.zeros((40, 60), np.float32)
    mask[:, 30:] = 1

    assert np.abs(np.asarray(filled(Image.fromarray(picture), mask)).astype(int) - 90).max() < 4


def test_styles_and_weather_set_in_with_the_denoise():
    def after(text, strength):
        latent = Latent(*SIZE, 1, base=FOX).painted(painting(text, strength=strength))
        return difference(FOX[0], paint_latent(latent)[0])

    for text in ("watercolor, snow", "a wolf"):
        changes = [after(text, strength) for strength in (0.2, 0.55, 0.95)]
        assert changes == sorted(changes)


def test_a_second_pass_takes_up_the_noise_of_the_first():
    noisy = replace(painting("a red fox"), leftover=0.5)

    first = Latent(*SIZE, 1).painted(noisy)
    second = first.painted(painting("a red fox", strength=0.3))

    assert first.paintings[0].leftover == 0.5
    assert second.paintings[0].leftover == 0.0
