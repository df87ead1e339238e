"""Sizes as people write them become sizes that the model can make, or an error that says what it can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.models import Limits
from comfygen_mcp.sizes import NAMED_RATIOS, Size, resolve_size

FLUX = Limits(multiple_of=16, min_edge=256, max_edge=2048, max_pixels=2048 * 2048)
SD15 = Limits(multiple_of=8, ratio_multiple_of=64, min_edge=128, max_edge=1536, max_pixels=1536 * 1024)


def flux(size=None, width=None, height=None):
    return resolve_size(
        size=size, width=width, height=height, default_width=1024, default_height=1024, limits=FLUX
    )


def pixels(size):
    return size.width, size.height


@pytest.mark.parametrize("size", ["1024x768", " 1024 X 768 ", "1024*768", "1024\u00d7768"])
def test_exact_pixels_are_taken_as_they_are(size):
    assert flux(size) == Size(width=1024, height=768)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ({}, (1024, 1024)),
        ({"size": "16:9"}, (1360, 768)),
        ({"size": "wide"}, (1360, 768)),
        ({"size": "9/16"}, (768, 1360)),
        ({"size": "1.5:1"}, (1248, 832)),
        ({"size": "Square"}, (1024, 1024)),
        ({"size": "ultrawide"}, (1568, 672)),
        ({"size": "16:9", "width": 1280}, (1280, 720)),
        ({"size": "portrait", "height": 1024}, (768, 1024)),
        ({"width": 512}, (512, 512)),
        ({"height": 768}, (768, 768)),
        ({"width": 640, "height": 480}, (640, 480)),
        ({"size": "640x480", "width": 640}, (640, 480)),
    ],
)
def test_what_was_asked_becomes_pixels(asked, made):
    assert flux(**asked) == Size(width=made[0], height=made[1])


def test_one_edge_keeps_the_models_own_shape():
    size = resolve_size(size=None, width=None, height=960, default_width=848, default_height=480, limits=FLUX)

    assert pixels(size) == (1696, 960)


def test_a_size_between_the_steps_is_rounded_with_a_note():
    assert flux("1000x701") == Size(
        width=1008, height=704, notes=("Size 1000x701 became 1008x704: this model works in multiples of 16.",)
    )
    assert flux(width=1000).notes == ("width=1000 became 1008: this model works in multiples of 16.",)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"size": "0x512"}, "at least 256"),
        ({"size": "-512x512"}, "at least 256"),
        ({"width": 0, "height": 512}, "at least 256"),
        ({"width": -1}, "width=-1 is no size"),
        ({"height": 0}, "height=0 is no size"),
        ({"size": "70x70"}, "70x70 is too small: the smallest edge of this model is 256 pixels"),
        ({"height": 70}, "height=70 is too small: the smallest edge of this model is 256 pixels"),
        ({"size": "16x9"}, "Did you mean the ratio 16:9?"),
        ({"size": "100000x100000"}, "the largest edge of this model is 2048 pixels"),
        ({"width": 100_000}, "the largest edge of this model is 2048 pixels"),
        ({"size": "1:3", "width": 2048}, "2048x6144 is too large"),
        ({"size": "1000:1"}, "too extreme"),
        ({"size": "0:1"}, "a side of 0"),
        ({"size": "16:9", "width": 1280, "height": 720}, "one or the other"),
        ({"size": "1024x768", "width": 512}, "contradict each other"),
        ({"size": "1024x768", "height": 512}, "contradict each other"),
    ],
)
def test_sizes_that_cannot_be_made_say_what_can(asked, words):
    with pytest.raises(BadRequest) as caught:
        flux(**asked)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "size", ["potrait", "banana", "", "1024x", "x768", "1024x768x3", "9" * 5000, "1e3x1e3"]
)
def test_words_that_are_no_size_name_the_known_ones(size):
    with pytest.raises(UnknownName, match=r"Known: square, portrait.*Pixels such as 1024x768") as caught:
        flux(size)

    assert len(str(caught.value)) < 400
    assert size != "potrait" or "Did you mean 'portrait'" in str(caught.value)


def test_too_many_pixels_are_refused_even_when_the_edges_are_allowed():
    with pytest.raises(BadRequest, match=r"2,359,296 pixels; this model makes at most 1,572,864"):
        resolve_size(
            size="1536x1536", width=None, height=None, default_width=512, default_height=512, limits=SD15
        )


def test_rounding_never_goes_beyond_the_limits():
    limits = Limits(multiple_of=64, min_edge=100, max_edge=1000, max_pixels=560_000)

    def sized(size):
        return pixels(
            resolve_size(
                size=size, width=None, height=None, default_width=512, default_height=512, limits=limits
            )
        )

    assert sized("100x100") == (128, 128)
    assert sized("1000x500") == (960, 512)
    assert sized("748x748") == (704, 704)


@given(
    width=st.integers(min_value=256, max_value=2048),
    height=st.integers(min_value=256, max_value=2048),
)
def test_every_size_within_the_limits_moves_by_half_a_step_at_most(width, height):
    size = flux(f"{width}x{height}")

    assert size.width % 16 == size.height % 16 == 0
    assert abs(size.width - width) <= 8
    assert abs(size.height - height) <= 8
    assert bool(size.notes) is (pixels(size) != (width, height))


@given(name=st.sampled_from(sorted(NAMED_RATIOS)))
def test_a_named_shape_has_about_its_ratio(name):
    across, down = NAMED_RATIOS[name]

    size = flux(name)

    assert size.width / size.height == pytest.approx(across / down, rel=0.02)
