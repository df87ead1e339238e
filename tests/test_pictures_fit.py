"""Pictures in another size, and their masks: what is cut, kept, distorted or painted."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import Limits
from comfygen_mcp.pictures import as_picture, read_picture
from comfygen_mcp.pictures_fit import FEATHER, contained, fitted
from comfygen_mcp.pictures_mask import mask_for, united
from comfygen_mcp.sizes_near import size_near, size_within

edges = st.integers(1, 300)


def striped(width=120, height=60):
    """Red, green and blue thirds, from left to right."""
    image = Image.new("RGB", (width, height), (0, 200, 0))
    image.paste((200, 0, 0), (0, 0, width // 3, height))
    image.paste((0, 0, 200), (width - width // 3, 0, width, height))
    return as_picture(image)


def grey(picture):
    return np.asarray(picture.pixels.convert("L"))


def colour(picture, x, y):
    return max(zip(picture.pixels.getpixel((x, y)), "rgb", strict=True))[1]


def test_cover_fills_the_size_and_cuts_two_sides_with_a_note():
    made = fitted(striped(), 60, 60, "cover")

    assert made.picture.size == (60, 60)
    assert made.mask is None
    assert [colour(made.picture, x, 30) for x in (2, 30, 57)] == ["r", "g", "b"]
    assert "50% of the 120x60 picture was cut off, left and right" in made.notes[0]
    assert "top and bottom" in fitted(striped(), 120, 30, "cover").notes[0]


def test_a_cut_of_a_few_pixels_is_not_worth_a_note():
    assert fitted(striped(), 120, 61, "cover").notes == ()


def test_contain_keeps_the_whole_picture_with_one_edge_shorter():
    made = fitted(striped(), 60, 60, "contain")

    assert made.picture.size == (60, 30)
    assert [colour(made.picture, x, 15) for x in (2, 30, 57)] == ["r", "g", "b"]
    picture = striped()
    assert fitted(picture, 120, 90, "contain").picture is picture


def test_stretch_takes_the_size_as_it_is():
    made = fitted(striped(), 60, 90, "stretch")

    assert made.picture.size == (60, 90)
    assert [colour(made.picture, x, 45) for x in (2, 30, 57)] == ["r", "g", "b"]


@pytest.mark.parametrize("crop", ["cover", "contain", "stretch", "extend"])
def test_a_picture_of_the_right_size_is_left_alone(crop):
    picture = striped()

    assert fitted(picture, 120, 60, crop).picture is picture


def test_extend_paints_a_border_of_the_edge_colours_and_masks_it():
    picture = striped()

    made = fitted(picture, 400, 200, "extend")

    assert made.picture.size == made.mask.size == (400, 200)
    middle = made.picture.pixels.crop((140, 70, 260, 130))
    assert as_picture(middle).sha256 == picture.sha256
    assert [colour(made.picture, x, 100) for x in (5, 395)] == ["r", "b"]
    mask = grey(made.mask)
    assert (mask[:70] == 255).all()
    assert (mask[:, 260:] == 255).all()
    assert mask[100, 200] == 0
    assert list(mask[100, 140:160:3]) == sorted(mask[100, 140:160:3], reverse=True)


def test_extend_fades_only_over_the_edges_that_are_extended():
    mask = grey(fitted(striped(400, 400), 600, 400, "extend").mask)

    assert (mask[0] == mask[200]).all()
    assert mask[0, 99] == mask[0, 100] == 255
    assert 0 < mask[0, 100 + FEATHER - 1] < 20
    assert mask[0, 100 + FEATHER] == 0


def test_extend_makes_a_picture_smaller_only_where_it_does_not_fit():
    made = fitted(striped(400, 200), 200, 200, "extend")

    assert [colour(made.picture, x, 100) for x in (4, 100, 196)] == ["r", "g", "b"]
    assert grey(made.mask)[100].max() == 0
    assert grey(made.mask)[0].min() == 255


def test_extend_to_the_same_shape_leaves_nothing_to_paint():
    made = fitted(striped(400, 200), 200, 100, "extend")

    assert (made.picture.size, made.mask) == ((200, 100), None)


@settings(deadline=None, max_examples=60)
@given(edges, edges, edges, edges, st.sampled_from(["cover", "contain", "stretch", "extend"]))
def test_every_picture_comes_out_in_the_size_that_was_asked_for(width, height, across, down, crop):
    picture = as_picture(Image.new("RGB", (width, height), (90, 60, 30)))

    made = fitted(picture, across, down, crop)

    if crop == "contain":
        assert made.picture.size == contained((width, height), (across, down))
        assert made.picture.width <= across
        assert made.picture.height <= down
        assert made.picture.width == across or made.picture.height == down
    else:
        assert made.picture.size == (across, down)
    if made.mask is not None:
        assert made.mask.size == (across, down)
        assert grey(made.mask).max() == 255
    assert np.abs(np.asarray(made.picture.pixels, int) - [90, 60, 30]).max() <= 1


PICTURE = as_picture(Image.new("RGB", (64, 48), "gray"))


def mask_of(size=(64, 48), box=(10, 10, 20, 20), *, ground="black", paint="white", mode="RGB"):
    image = Image.new(mode, size, ground)
    image.paste(paint, box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return read_picture(buffer.getvalue(), name="mask.png")


def test_white_is_repainted_and_black_kept():
    mask, notes = mask_for(mask_of(), PICTURE)

    assert notes == ()
    assert grey(mask)[15, 15] == 255
    assert grey(mask)[30, 30] == 0
    assert grey(mask).sum() == 255 * 100


def test_grey_is_repainted_in_part():
    mask, notes = mask_for(mask_of(paint=(128, 128, 128)), PICTURE)

    assert (grey(mask)[15, 15], notes) == (128, ())


@pytest.mark.parametrize("ground", [(255, 255, 255, 255), (0, 0, 0, 255), (20, 90, 200, 255)])
def test_what_was_erased_is_repainted(ground):
    mask, notes = mask_for(mask_of(ground=ground, paint=(0, 0, 0, 0), mode="RGBA"), PICTURE)

    assert grey(mask)[15, 15] == 255
    assert grey(mask)[30, 30] == 0
    assert "transparent parts are repainted" in notes[0]


def test_a_mask_in_colours_counts_by_brightness_with_a_note():
    mask, notes = mask_for(mask_of(paint=(255, 0, 0)), PICTURE)

    assert 60 < grey(mask)[15, 15] < 90
    assert "has colours" in notes[0]


@pytest.mark.parametrize("size", [(128, 96), (32, 24), (65, 48)])
def test_a_mask_of_the_same_shape_is_scaled_with_a_note(size):
    mask, notes = mask_for(mask_of(size), PICTURE)

    assert mask.size == PICTURE.size
    assert notes == (f"The mask was scaled from {size[0]}x{size[1]} to the picture's 64x48.",)


@pytest.mark.parametrize("size", [(48, 64), (64, 64), (64, 46)])
def test_a_mask_of_another_shape_is_refused_with_both_sizes(size):
    with pytest.raises(BadRequest, match=f"The mask is {size[0]}x{size[1]} and the picture 64x48"):
        mask_for(mask_of(size), PICTURE)


def test_a_black_mask_leaves_nothing_to_repaint():
    with pytest.raises(BadRequest, match="black all over, so there is nothing to repaint"):
        mask_for(mask_of(paint=(9, 9, 9)), PICTURE)


def test_a_white_mask_repaints_everything_with_a_note():
    _, notes = mask_for(mask_of(ground="white"), PICTURE)

    assert notes == ("The mask is white all over: the whole picture is repainted.",)


def test_two_masks_repaint_what_either_does():
    both = united(as_picture(mask_of().pixels), mask_of(box=(40, 30, 50, 40)))

    assert [grey(both)[y, x] for x, y in ((15, 15), (45, 35), (30, 5))] == [255, 255, 0]


LIMITS = Limits(multiple_of=16, min_edge=256, max_edge=2048, max_pixels=1536 * 1024)


@pytest.mark.parametrize(
    ("own", "made"),
    [
        ((1024, 768), (1024, 768)),
        ((1000, 750), (1008, 752)),
        ((4000, 3000), (1440, 1088)),
        ((100, 50), (512, 256)),
        ((10_000, 200), (2048, 256)),
        ((1, 1), (256, 256)),
    ],
)
def test_a_picture_keeps_its_shape_within_the_limits(own, made):
    size = size_near(*own, LIMITS)

    assert (size.width, size.height) == made
    assert bool(size.notes) == (own != made)


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.sampled_from([1, 8, 16, 32, 64]),
    st.integers(1, 512),
    st.integers(512, 4096),
    st.integers(512 * 512, 4096 * 4096),
)
def test_every_picture_gets_a_size_that_the_model_can_make(width, height, step, low, high, pixels):
    limits = Limits(multiple_of=step, min_edge=low, max_edge=high, max_pixels=pixels)

    near, within = size_near(width, height, limits), size_within(width, height, limits)

    for edge in (near.width, near.height):
        assert edge % step == 0
        assert low <= edge <= high
    assert near.width * near.height <= pixels
    assert max(within.width, within.height) <= min(high, max(width, height))
    assert within.width * within.height <= max(pixels, 1)


def test_a_picture_within_the_upper_limits_is_left_as_it_is():
    assert size_within(37, 1001, LIMITS).notes == ()
    assert (size_within(8000, 4000, LIMITS).width, size_within(8000, 4000, LIMITS).height) == (1773, 886)
    assert "8000x4000 became 1773x886" in size_within(8000, 4000, LIMITS).notes[0]
