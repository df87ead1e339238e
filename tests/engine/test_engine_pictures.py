"""Nodes that cut, pad, combine, filter and enlarge pictures, by their pixels."""

import numpy as np
import pytest

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.nodes.upscaling import KONTEXT_SIZES, factor_of
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.task import NodeFailure
from comfygen_mcp.engine.values import UpscaleModel

NODES = registry(Dialect(old=False))
RAMP = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)


class Quiet:
    def __init__(self):
        self.steps = []

    def check_interrupt(self):
        pass

    def step(self, value, total, _preview):
        self.steps.append((value, total))


def run(name, **inputs):
    result = NODES[name].run(Quiet(), **inputs)
    return result[0] if len(result) == 1 else result


def plain(width, height, value=100, count=1):
    return np.full((count, height, width, 3), value, np.uint8)


def test_a_crop_ends_where_the_picture_ends():
    assert (run("ImageCrop", image=RAMP, width=9, height=2, x=1, y=3) == RAMP[:, 3:, 1:]).all()


def test_pictures_are_flipped_and_turned_by_the_clock():
    assert (run("ImageFlip", image=RAMP, flip_method="x-axis: vertically") == RAMP[:, ::-1]).all()
    assert (run("ImageFlip", image=RAMP, flip_method="y-axis: horizontally") == RAMP[:, :, ::-1]).all()
    turned = run("ImageRotate", image=RAMP, rotation="90 degrees")
    assert (turned[0, 0, -1] == RAMP[0, 0, 0]).all()
    assert (run("ImageRotate", image=turned, rotation="270 degrees") == RAMP).all()


def test_a_picture_is_pasted_by_its_mask_and_cut_at_the_edge():
    half = np.full((1, 2, 2), 0.5, np.float32)

    pasted = run(
        "ImageCompositeMasked",
        destination=plain(4, 4),
        source=plain(2, 2, 200),
        x=3,
        y=1,
        resize_source=False,
        mask=half,
    )

    assert (pasted[0, 1:3, 3] == 150).all()
    assert (pasted[0, :, :3] == 100).all()


def test_a_source_can_be_brought_to_the_size_of_the_destination():
    whole = run(
        "ImageCompositeMasked", destination=plain(6, 4), source=plain(2, 2, 200), x=0, y=0, resize_source=True
    )

    assert (whole == 200).all()


def test_room_for_outpainting_is_grey_and_masked_with_a_soft_edge():
    padded, mask = run(
        "ImagePadForOutpaint", image=plain(64, 64), left=0, top=0, right=16, bottom=8, feathering=10
    )

    assert padded.shape == (1, 72, 80, 3)
    assert (padded[0, :64, :64] == 100).all()
    assert (padded[0, 64:] == 128).all()
    assert mask.shape == (1, 72, 80)
    assert (mask[0, 64:] == 1).all()
    assert (mask[0, :50, :50] == 0).all()
    assert 0.5 < mask[0, 10, 63] < 1
    assert mask[0, 0, 0] == 0


@pytest.mark.parametrize("feathering", [0, 40])
def test_an_edge_that_cannot_be_feathered_is_hard(feathering):
    _, mask = run(
        "ImagePadForOutpaint", image=plain(64, 64), left=8, top=0, right=0, bottom=0, feathering=feathering
    )

    assert set(np.unique(mask)) == {0, 1}


def test_a_blur_spreads_a_dot_and_keeps_its_light():
    dot = plain(9, 9, 0)
    dot[0, 4, 4] = 250

    soft = run("ImageBlur", image=dot, blur_radius=1, sigma=1.0)[0, ..., 0].astype(int)

    assert (soft > 0).sum() == 9
    assert abs(soft.sum() - 250) < 9
    assert soft[4, 4] == soft.max()


def test_sharpening_lifts_what_a_blur_would_lower():
    edge = plain(8, 8, 100)
    edge[:, :, 4:] = 140

    sharp = run("ImageSharpen", image=edge, sharpen_radius=1, sigma=1.0, alpha=0.1)[0, 4, :, 0].astype(int)

    assert sharp[3] < 100
    assert sharp[4] > 140
    assert (sharp[0], sharp[-1]) == (100, 140)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("RealESRGAN_x4plus.safetensors", 4),
        ("RealESRGAN_x2plus.pth", 2),
        ("4x-UltraSharp.pth", 4),
        ("sub/2xNomos.safetensors", 2),
        ("8x_NMKD.pth", 8),
        ("16x9.pth", 4),
        ("mystery.pth", 4),
    ],
)
def test_the_file_of_an_upscale_model_says_how_much_larger(name, factor):
    assert factor_of(name) == factor
    assert run("UpscaleModelLoader", model_name=name) == UpscaleModel(name, factor)


def test_an_upscale_keeps_the_picture_and_tells_each_one():
    task = Quiet()
    pictures = np.concatenate([plain(8, 6, 40), plain(8, 6, 200)])

    (large,) = NODES["ImageUpscaleWithModel"].run(task, upscale_model=UpscaleModel("4x", 4), image=pictures)

    assert large.shape == (2, 24, 32, 3)
    assert [int(picture.mean()) for picture in large] == [40, 200]
    assert task.steps == [(1, 2), (2, 2)]


def test_an_upscale_beyond_the_memory_fails_by_its_size():
    with pytest.raises(NodeFailure, match=r"1 x 32768x24576.*Scale the picture down before"):
        run(
            "ImageUpscaleWithModel",
            upscale_model=UpscaleModel("8x", 8),
            image=np.broadcast_to(RAMP[:, :1, :1], (1, 3072, 4096, 3)),
        )


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("ImageScaleToTotalPixels", {"megapixels": 0.01, "resolution_steps": 1}, (145, 72)),
        ("ImageScaleToTotalPixels", {"megapixels": 0.01, "resolution_steps": 16}, (144, 80)),
        ("ImageScaleToMaxDimension", {"largest_size": 50}, (50, 25)),
    ],
)
def test_pictures_are_brought_to_a_size(name, inputs, expected):
    scaled = run(name, image=plain(200, 100), upscale_method="area", **inputs)

    assert scaled.shape[2:0:-1] == expected


def test_a_kontext_picture_gets_the_nearest_of_the_trained_sizes():
    assert run("FluxKontextImageScale", image=plain(90, 60)).shape[2:0:-1] == (1248, 832)
    assert run("FluxKontextImageScale", image=plain(20, 60)).shape[2:0:-1] == KONTEXT_SIZES[0]


def test_the_size_of_a_batch_and_parts_of_it():
    batch = np.concatenate([plain(4, 2, value) for value in (1, 2, 3)])

    assert run("GetImageSize", image=batch) == (4, 2, 3)
    assert run("ImageFromBatch", image=batch, batch_index=1, length=9)[:, 0, 0, 0].tolist() == [2, 3]
    assert run("ImageFromBatch", image=batch, batch_index=-1, length=1)[:, 0, 0, 0].tolist() == [3]
    assert run("ImageFromBatch", image=batch, batch_index=99, length=1)[:, 0, 0, 0].tolist() == [3]
    assert len(run("RepeatImageBatch", image=batch, amount=2)) == 6
