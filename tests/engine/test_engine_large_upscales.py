"""Upscales whose own size is too large to be held: made at the size that follows, or refused with advice."""

import io

import numpy as np
import pytest
from engine_probe import png_bytes
from PIL import Image

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.nodes.enlarged import enlarged
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.task import NodeFailure
from comfygen_mcp.engine.values import UpscaleModel

NODES = registry(Dialect(old=False))
MODEL = "RealESRGAN_x4plus.safetensors"


class Quiet:
    def __init__(self):
        self.steps = []

    def step(self, value, total, preview):
        self.steps.append((value, total))

    def check_interrupt(self):
        pass


def run(name, **inputs):
    (result,) = NODES[name].run(Quiet(), **inputs)
    return result


def wavy(width, height, count=1):
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / 5 + number) * np.cos(y / 7) for number in range(3)]
    return np.stack([np.stack(waves, -1).astype(np.uint8)] * count)


@pytest.fixture
def small_limit(monkeypatch):
    """Let 100,000 pixels be too large to be held."""
    for module in ("enlarged", "upscaling", "limits"):
        monkeypatch.setattr(f"comfygen_mcp.engine.nodes.{module}.MAX_PIXELS", 100_000)


@pytest.mark.parametrize(
    ("name", "how", "size"),
    [
        ("ImageScale", {"width": 240, "height": 160, "crop": "disabled"}, (240, 160)),
        ("ImageScale", {"width": 160, "height": 160, "crop": "center"}, (160, 160)),
        ("ImageScale", {"width": 60, "height": 0, "crop": "disabled"}, (60, 40)),
        ("ImageScaleBy", {"scale_by": 0.5}, (240, 160)),
        ("ImageScaleToTotalPixels", {"megapixels": 0.03}, (217, 145)),
        ("ImageScaleToMaxDimension", {"largest_size": 180}, (180, 120)),
    ],
)
def test_what_scales_a_large_upscale_gets_nearly_the_same_picture(name, how, size, request):
    pictures = wavy(120, 80, count=2)
    how = {**how, "upscale_method": "lanczos"}
    held = run("ImageUpscaleWithModel", upscale_model=UpscaleModel("4x", 4), image=pictures)
    usual = run(name, image=held, **how)
    request.getfixturevalue("small_limit")

    large = run("ImageUpscaleWithModel", upscale_model=UpscaleModel("4x", 4), image=pictures)
    scaled = run(name, image=large, **how)

    assert held.shape == large.shape == (2, 320, 480, 3)
    assert scaled.shape == usual.shape == (2, size[1], size[0], 3)
    assert np.abs(scaled.astype(int) - usual).mean() < 3


def test_a_large_upscale_is_kept_as_it_is_where_nothing_is_scaled(small_limit):
    large = run("ImageUpscaleWithModel", upscale_model=UpscaleModel("4x", 4), image=wavy(120, 80))

    assert run("ImageScale", image=large, upscale_method="area", width=0, height=0, crop="disabled") is large


def test_a_large_batch_of_small_pictures_is_made_one_by_one(small_limit):
    large = run("ImageUpscaleWithModel", upscale_model=UpscaleModel("4x", 4), image=wavy(64, 64, count=3))

    one, two = large.part(1, 2)

    assert one.shape == (256, 256, 3)
    assert (one == two).all()
    assert large.part(1, 2).pictures.shape == (2, 64, 64, 3)
    with pytest.raises(NodeFailure, match="3 x 256x256"):
        large.check()


def test_a_small_upscale_may_be_held():
    enlarged(wavy(64, 64), 4).check()


def upscale(client, size, *more):
    """Upload a photo and return a graph that enlarges it by four, with *more* nodes before the saving."""
    client.upload("photo.png", png_bytes(size, (200, 60, 20), "RGB"), overwrite="true")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
        "2": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": MODEL}},
        "3": {
            "class_type": "ImageUpscaleWithModel",
            "inputs": {"upscale_model": ["2", 0], "image": ["1", 0]},
        },
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "large", "images": ["3", 0]}},
    }
    for number, (class_type, inputs) in enumerate(more, 4):
        graph[str(number)] = {"class_type": class_type, "inputs": {**inputs, "image": ["3", 0]}}
        graph["9"]["inputs"]["images"] = [str(number), 0]
    return graph


def test_a_photo_is_enlarged_by_two_with_a_model_that_enlarges_by_four(start):
    client = start(models={"upscale_models": (MODEL,)})
    to_size = {"width": 6000, "height": 4000, "upscale_method": "lanczos", "crop": "disabled"}

    images = client.run(upscale(client, (3000, 2000), ("ImageScale", to_size)))["outputs"]["9"]["images"]

    saved = Image.open(io.BytesIO(client.get("/view", params=images[0]).content))
    assert saved.size == (6000, 4000)
    assert saved.getpixel((3000, 2000)) == (200, 60, 20)


@pytest.mark.parametrize("last", [(), (("ImageInvert", {}),)])
def test_a_photo_that_would_be_kept_too_large_is_refused_with_the_ways_out(start, last):
    client = start(models={"upscale_models": (MODEL,)})

    told = client.run(upscale(client, (3000, 2000), *last))["status"]["messages"][-1][1]

    assert told["exception_type"] == "torch.OutOfMemoryError"
    message = told["exception_message"]
    assert "12000x8000 is more than the 67108864 pixels allowed" in message
    assert "at most 3.96 megapixels (ImageScaleToTotalPixels)" in message
    assert "put an ImageScale to a smaller size right after it" in message
