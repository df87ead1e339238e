"""The preview renderer: the same everywhere, different wherever something differs, honest about itself."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.renderer import decode_latent, preview_jpeg
from comfygen_mcp.engine.renderer.label import drawable
from comfygen_mcp.engine.renderer.subject import ART
from comfygen_mcp.engine.renderer.words import PLACES, STYLES, SUBJECTS, TIMES, WEATHERS
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Lora, Model, Painting

PROMPT = "a red fox in snow, morning light"
BAR = 14
"""The label's height in small pictures."""
VISIBLE = 2.0
"""Mean difference, of 255, from which on two pictures are plainly not the same."""


def painting(text=PROMPT, *, seed=1, model="m", loras=(), cfg=7.0, steps=20, negative="", guidance=None):
    guider = Guider(Model(model, loras), Conditioning(text, guidance), Conditioning(negative), cfg)
    return Painting(guider, seed, steps, "euler", 1.0, 0.5 / steps**2)


def picture(*paintings, size=(256, 256), count=1, base=None):
    return decode_latent(Latent(*size, count, base, tuple(paintings)))


def difference(first, second):
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())


def test_the_same_request_gives_the_same_pixels():
    assert difference(picture(painting()), picture(painting())) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"text": "a red fox in snow, evening light"},
        {"text": "a red fox in snow, morning haze"},
        {"text": "a red fax in snow, morning light"},
        {"model": "sd_xl_base_1.0.safetensors"},
        {"loras": (Lora("style", 1.0),)},
        {"cfg": 20.0},
        {"steps": 1},
        {"negative": "snow"},
    ],
)
def test_whatever_differs_is_seen(other):
    assert difference(picture(painting()), picture(painting(**other))) > VISIBLE


def test_a_stronger_lora_changes_more():
    plain = picture(painting())
    weak, strong = (picture(painting(loras=(Lora("style", s),))) for s in (0.3, 1.2))

    assert 0 < difference(plain, weak) < difference(plain, strong)


def test_more_steps_leave_less_noise():
    clean = picture(painting(steps=30))
    noise = [difference(clean, picture(painting(steps=steps))) for steps in (1, 2, 4, 8)]

    assert noise == sorted(noise, reverse=True)
    assert noise[0] > 15
    assert noise[2] < 6


def test_a_higher_cfg_means_more_contrast():
    spread = [picture(painting(cfg=cfg)).std() for cfg in (2.0, 7.0, 25.0)]

    assert spread == sorted(spread)


def test_guidance_counts_a_little():
    assert difference(picture(painting(guidance=1.0)), picture(painting(guidance=9.0))) > 0


def test_the_first_of_a_batch_is_the_single_picture_and_the_others_differ():
    single, batch = picture(painting()), picture(painting(), count=3)

    # All but the label, which says which picture of the batch it is.
    assert difference(single[0, :-BAR], batch[0, :-BAR]) == 0
    assert difference(batch[0], batch[1]) > VISIBLE
    assert difference(batch[1], batch[2]) > VISIBLE


def test_another_process_paints_the_same(tmp_path):
    size = (128, 128)
    script = (
        "import sys, numpy as np\n"
        "from comfygen_mcp.engine.renderer import decode_latent\n"
        "from comfygen_mcp.engine.values import *\n"
        f"g = Guider(Model('m'), Conditioning({PROMPT!r}), Conditioning(''), 7.0)\n"
        "p = Painting(g, 1, 20, 'euler', 1.0, 0.5 / 20**2)\n"
        f"np.save(sys.argv[1], decode_latent(Latent({size[0]}, {size[1]}, 1, None, (p,))))\n"
    )
    for salt in ("1", "2"):
        file = tmp_path / f"{salt}.npy"
        command = [sys.executable, "-c", script, str(file)]
        subprocess.run(command, check=True, timeout=60, env={"PYTHONHASHSEED": salt})
        # Another Pillow or numpy may round differently; the picture is the same to the eye.
        assert difference(np.load(file), picture(painting(), size=size)) < 1


def test_a_weak_denoise_keeps_the_structure_of_the_picture():
    base = picture(painting("a castle at sunset"))
    grey = np.asarray(Image.fromarray(base[0]).convert("L"), np.float32)

    def likeness(strength):
        latent = Latent(256, 256, 1, base).painted(replace(painting("blue winter night"), strength=strength))
        out = np.asarray(Image.fromarray(decode_latent(latent)[0]).convert("L"), np.float32)
        return np.corrcoef(grey[:230].ravel(), out[:230].ravel())[0, 1]

    weak, middle, strong = likeness(0.2), likeness(0.6), likeness(0.9)

    assert weak > 0.9
    assert weak > middle > strong


def test_a_full_denoise_forgets_what_was_there():
    base = picture(painting("a castle at sunset"))

    assert difference(decode_latent(Latent(256, 256, 1, base).painted(painting())), picture(painting())) == 0


def test_an_encoded_base_of_another_size_is_fitted():
    base = np.full((1, 64, 64, 3), 90, np.uint8)

    pixels = decode_latent(Latent(128, 96, 2, base))

    assert pixels.shape == (2, 96, 128, 3)
    assert (pixels == 90).all()


@pytest.mark.parametrize(
    "size", [(8, 8), (16, 16), (64, 64), (256, 32), (32, 256), (768, 1344), (1536, 640), (2048, 1024)]
)
def test_every_size_is_painted_whole(size):
    assert picture(painting("a lake, snow and rain"), size=size).shape == (1, size[1], size[0], 3)


WORDS = sorted({word for table in (TIMES, WEATHERS, PLACES, STYLES, SUBJECTS) for word in table})


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_tables_paints_something(word):
    pixels = picture(painting(f"{word} picture", seed=3), size=(96, 96))[0]

    assert pixels[:70].std() > 4


def test_every_subject_of_the_words_has_its_drawing():
    assert set(SUBJECTS) == set(ART)


def test_a_subject_takes_the_colour_named_before_it():
    red, blue = (
        picture(painting(f"a {c} fox in a meadow, noon", seed=4))[0].astype(int) for c in ("red", "blue")
    )

    assert (red[..., 0] - red[..., 2]).max() > 90
    assert (blue[..., 2] - blue[..., 0])[150:].max() > 60


def test_a_coloured_sky_and_a_coloured_ground_keep_apart():
    pixels = picture(painting("a gold desert under a blue sky"))[0].astype(int)

    assert (pixels[20, :, 2] > pixels[20, :, 0]).mean() > 0.8
    assert (pixels[225, :, 0] > pixels[225, :, 2]).mean() > 0.6


def test_what_the_negative_prompt_names_is_left_out():
    def place(negative):
        from comfygen_mcp.engine.renderer.plan import plan_of

        return plan_of(painting("a fox in the rain", negative=negative), 0)

    assert "rain" in place("").weather
    assert place("rain, fox").weather == frozenset()
    assert place("rain, fox").subject is None


@pytest.mark.parametrize("text", ["", "красная лиса в снегу", "🦊" * 50, "\ud800", "word " * 20000, "\0\n\t"])
def test_any_text_can_be_painted(text):
    assert picture(painting(text), size=(512, 128)).shape == (1, 128, 512, 3)


def test_the_notice_stands_in_the_lower_edge_of_what_a_sampler_painted():
    pixels = picture(painting(), size=(512, 512))[0]

    bar = pixels[-20:, :260].astype(int)
    yellow = (bar[..., 0] > 200) & (bar[..., 1] > 150) & (bar[..., 2] < 130)
    assert yellow.sum() > 150
    assert (pixels[-3:] < 40).all()


def test_nothing_is_said_of_a_picture_that_no_sampler_painted():
    base = np.full((1, 256, 256, 3), 120, np.uint8)

    assert (decode_latent(Latent(256, 256, 1, base)) == 120).all()
    assert decode_latent(Latent(64, 64, 1)).std() < 20


def test_a_preview_is_a_small_jpeg():
    jpeg = preview_jpeg(Latent(1024, 512, 1, paintings=(painting(),)))

    assert jpeg[:3] == b"\xff\xd8\xff"
    assert len(jpeg) < 40_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a red fox", "a red fox"),
        ("日本語 の 猫, a cat", "..., a cat"),
        ("fox 🦊 in\nsnow", "fox ... in snow"),
        ("café", "café"),
        ("العربية", "..."),
    ],
)
def test_the_caption_marks_what_it_cannot_show(text, shown):
    assert drawable(text) == shown
