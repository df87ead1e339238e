"""The bar of a preview: one at a time, whole, with the prompt and which picture of a batch it is."""

import numpy as np
import pytest
from PIL import Image

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.renderer import decode_latent, decode_video, paint_latent
from comfygen_mcp.engine.renderer.label import label_bar
from comfygen_mcp.engine.renderer.old_label import old_bar, over_old_bar
from comfygen_mcp.engine.values import Conditioning, Guider, Latent, Model, Painting

NODES = registry(Dialect(old=False))
SIZE = (512, 512)
BAR = 26
LONG = "a red fox between ferns and moss at the river, first light, long shadows, seen from far away"


def painting(text, seed=1):
    guider = Guider(Model("m"), Conditioning(text), Conditioning(""), 7.0)
    return Painting(guider, seed, 20, "euler", 1.0, 0.0)


def labelled(text="a castle at sunset", size=SIZE, count=1):
    return decode_latent(Latent(*size, count).painted(painting(text)))


def yellow(pixels):
    return np.abs(pixels.astype(int) - (255, 214, 80)).max(-1) < 50


def paste(destination, source, mask):
    return NODES["ImageCompositeMasked"].run(
        None, destination=destination, source=source, x=0, y=0, resize_source=False, mask=mask
    )[0]


def test_a_long_prompt_has_a_line_of_its_own():
    short, long = (np.asarray(label_bar(*SIZE, painting(text))) for text in ("a fox", LONG))

    assert short.shape == long.shape == (BAR, 512, 3)
    assert not yellow(long[BAR // 2 :]).any()
    assert (long[BAR // 2 + 1 :, 350:420] > 120).any()
    assert yellow(short[BAR // 2 :]).any()


def test_narrow_pictures_say_only_what_fits():
    assert yellow(np.asarray(label_bar(500, 2000, painting(LONG)))).any()
    assert yellow(np.asarray(label_bar(490, 490, painting(LONG, seed=2**63)))).any()
    assert label_bar(30, 30, painting(LONG)) is None


def test_every_picture_of_a_batch_has_its_number():
    bars = [np.asarray(label_bar(*SIZE, painting("a fox"), number)) for number in (None, 1, 2)]
    batch = labelled("a fox", count=2)

    assert [(batch[index, -BAR:] == bars[index + 1]).all() for index in (0, 1)] == [True, True]
    assert not (bars[0] == bars[1]).all()
    assert (labelled("a fox")[0, -BAR:] == bars[0]).all()


def test_every_video_of_a_batch_has_its_number():
    film = decode_video(Latent(*SIZE, 2, frames=2).painted(painting("a fox")))

    assert not (film.paint(0)[-BAR:] == film.paint(2)[-BAR:]).all()
    assert (film.paint(0)[-BAR:] == film.paint(1)[-BAR:]).all()


@pytest.mark.parametrize("text", ["a castle at sunset", LONG, "", "night, a city"])
def test_an_old_bar_is_found(text):
    assert abs(old_bar(labelled(text)[0]) - BAR) <= 1


def test_an_old_bar_is_found_in_a_scaled_jpeg(tmp_path):
    file = tmp_path / "small.jpg"
    Image.fromarray(labelled()[0]).resize((400, 400), Image.Resampling.LANCZOS).save(file, quality=88)

    assert abs(old_bar(np.asarray(Image.open(file))) - 20) <= 2


def test_what_no_preview_has_painted_has_no_bar():
    night = np.zeros((200, 200, 3), np.uint8)
    night[:150] = 90

    assert old_bar(night + 14) == 0
    assert old_bar(paint_latent(Latent(*SIZE, 1).painted(painting("night")))[0]) == 0
    assert old_bar(np.full((20, 20, 3), 14, np.uint8)) == 0


def test_a_mask_without_an_old_bar_stays_as_it_is():
    mask = np.zeros((512, 512), np.float32)
    plain = paint_latent(Latent(*SIZE, 1).painted(painting("a castle")))[0]

    assert over_old_bar(mask, plain) is mask
    assert over_old_bar(mask + 1, labelled()[0]).all()


def test_an_inpainted_picture_has_the_new_bar_alone_and_is_kept_elsewhere():
    old, new = labelled("a castle at sunset"), labelled("a golden ball")
    mask = np.zeros((1, 512, 512), np.float32)
    mask[:, 100:200, 100:200] = 1

    after = paste(old, new, mask)[0]

    assert (after[-BAR:] == new[0, -BAR:]).all()
    outside = mask[0, :-BAR] == 0
    assert (after[:-BAR][outside] == old[0, :-BAR][outside]).all()


def test_what_carries_no_bar_is_pasted_as_it_is():
    old = labelled("a castle at sunset")
    mask = np.zeros((1, 512, 512), np.float32)

    assert (paste(old, np.full_like(old, 200), mask) == old).all()


@pytest.mark.parametrize("size", [(768, 512), (512, 768), (768, 768)])
def test_an_outpainted_picture_has_one_bar_and_one_subject(size):
    old = labelled("a lighthouse at sunset")
    left, top = (size[0] - 512) // 2, (size[1] - 512) // 2
    base = np.full((1, size[1], size[0], 3), 128, np.uint8)
    base[:, top : top + 512, left : left + 512] = old
    mask = np.ones((1, size[1], size[0]), np.float32)
    mask[:, top : top + 512, left : left + 512] = 0
    latent = Latent(*size, 1, base=base, mask=mask).painted(painting("a lighthouse on the coast, snow"))

    source = decode_latent(latent)
    after = paste(base, source, mask)[0]

    assert (after[top : top + 512 - 2 * BAR, left : left + 512] == old[0, : -2 * BAR]).all()
    bar = old_bar(after)
    assert bar
    assert not yellow(after[top + 512 - BAR : -bar]).any()
    assert after[:-bar].std(0).mean() > 3
    # No flake falls beside the picture alone, and no second tower stands there.
    sides = after[:-bar, : max(1, left - 4)].astype(int)
    assert (sides.min(-1) > 235).mean() < 0.002


def test_a_film_does_not_move_the_bar_of_its_picture():
    start = labelled("a red fox in a meadow", size=(832, 480))
    film = decode_video(Latent(832, 480, 1, frames=33, start=start).painted(painting("the fox looks up")))
    bar = old_bar(start[0])

    frame = film.paint(32)

    assert abs(old_bar(frame) - bar) <= 1
    assert not (np.abs(frame[-2 * bar : -bar - 1].astype(int) - 14).max(-1) < 6).all(1).any()
