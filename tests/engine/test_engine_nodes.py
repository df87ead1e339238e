"""Nodes that work on pixels for real, by their results."""

import io

import numpy as np
import pytest
from engine_probe import png_bytes, txt2img
from PIL import Image

LEFT_RED = Image.new("RGB", (32, 16), (0, 0, 255))
LEFT_RED.paste((255, 0, 0), (0, 0, 16, 16))


def empty(width=32, height=16, color=0x102030, batch=1):
    inputs = {"width": width, "height": height, "batch_size": batch, "color": color}
    return {"class_type": "EmptyImage", "inputs": inputs}


def preview(node="2", slot=0):
    return {"class_type": "PreviewImage", "inputs": {"images": [node, slot]}}


def result(client, graph, index=0):
    return np.asarray(client.picture({**graph, "9": preview()}, index=index).convert("RGB"))


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def uploaded(client, image, name):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    client.upload(name, buffer.getvalue())
    return node("LoadImage", image=name)


def test_a_colour_is_red_green_blue(client):
    pixels = result(client, {"2": empty()})

    assert pixels.shape == (16, 32, 3)
    assert (pixels == (0x10, 0x20, 0x30)).all()


def test_inverting_takes_the_complement(client):
    assert (result(client, {"1": empty(), "2": node("ImageInvert", image=["1", 0])}) == (239, 223, 207)).all()


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(8, 8, (8, 8)), (64, 0, (32, 64)), (0, 8, (8, 16)), (0, 0, (16, 32))]
)
def test_a_side_of_zero_keeps_the_ratio(client, width, height, expected):
    scale = node(
        "ImageScale", image=["1", 0], upscale_method="area", width=width, height=height, crop="disabled"
    )

    assert result(client, {"1": empty(), "2": scale}).shape[:2] == expected


def test_a_centred_crop_takes_the_middle(client):
    scale = node(
        "ImageScale", image=["1", 0], upscale_method="nearest-exact", width=16, height=16, crop="center"
    )

    pixels = result(client, {"1": uploaded(client, LEFT_RED, "lr.png"), "2": scale})

    assert (pixels[:, :8] == (255, 0, 0)).all()
    assert (pixels[:, 8:] == (0, 0, 255)).all()


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])
def test_scaling_by_a_factor_rounds_the_sides(client, method):
    scale = node("ImageScaleBy", image=["1", 0], upscale_method=method, scale_by=0.3)

    assert result(client, {"1": empty(), "2": scale}).shape[:2] == (5, 10)


def test_a_batch_takes_the_size_of_its_first_image(client):
    graph = {
        "1": empty(),
        "0": empty(64, 64, 0xFF0000),
        "2": node("ImageBatch", image1=["1", 0], image2=["0", 0]),
    }

    second = result(client, graph, index=1)

    assert second.shape == (16, 32, 3)
    assert (second == (255, 0, 0)).all()


def test_a_picture_more_than_a_gpu_could_hold_fails_by_name(client):
    entry = client.run({"2": empty(16384, 16384), "9": preview()})

    told = entry["status"]["messages"][-1][1]
    assert told["exception_type"] == "torch.OutOfMemoryError"
    assert "16384x16384" in told["exception_message"]


def test_a_linked_number_is_shown_as_text(client):
    graph = {"1": node("PrimitiveFloat", value="2.5"), "2": node("PreviewAny", source=["1", 0])}
    latent = {"1": node("EmptyLatentImage", width=64, height=64, batch_size=1)}

    assert client.run(graph)["outputs"]["2"] == {"text": ["2.5"]}
    assert client.run({**latent, "2": graph["2"]})["outputs"]["2"] == {"text": ["<Latent>"]}


def masks(client, loaders):
    """Return the values of masks as the engine's nodes give them."""
    from threading import Event

    from comfygen_mcp.engine.events import RunEvents
    from comfygen_mcp.engine.nodes import registry
    from comfygen_mcp.engine.task import Task

    engine = client.server.engine
    task = Task("1", {}, {}, engine.folders, RunEvents(engine.hub, "p", None), Event())
    nodes = registry(engine.dialect)
    return [nodes[name].run(task, **inputs)[-1] for name, inputs in loaders]


def test_masks_are_the_inverse_of_alpha_and_the_value_of_a_colour(client):
    client.upload("m.png", png_bytes((8, 8), (51, 102, 153, 204)))
    client.upload("o.png", png_bytes((8, 8), (51, 102, 153), "RGB"))

    found = masks(
        client,
        [
            ("LoadImage", {"image": "m.png"}),
            ("LoadImage", {"image": "o.png"}),
            ("LoadImageMask", {"image": "m.png", "channel": "alpha"}),
            ("LoadImageMask", {"image": "m.png", "channel": "red"}),
        ],
    )

    assert [round(float(mask.mean()), 3) for mask in found] == [0.2, 0.0, 0.2, 0.2]
    assert found[1].shape == (1, 64, 64)


def test_a_file_that_went_after_validation_fails_without_its_path(client):
    from comfygen_mcp.engine.task import NodeFailure

    with pytest.raises(NodeFailure, match=r"No such file or directory: 'gone\.png'"):
        masks(client, [("LoadImage", {"image": "gone.png"})])


def test_an_unwritable_output_folder_fails_without_its_path(start):
    client = start()
    (client.server.folder / "output" / "blocked").write_bytes(b"a file, not a folder")

    told = client.run({"2": empty(), "9": node("SaveImage", images=["2", 0], filename_prefix="blocked/x")})

    message = told["status"]["messages"][-1][1]["exception_message"]
    assert message
    assert str(client.server.folder) not in message


def latent_sizes(client, **nodes):
    return client.picture(nodes).size


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("LatentUpscale", {"width": 130, "height": 128, "crop": "disabled"}, (128, 128)),
        ("LatentUpscale", {"width": 0, "height": 128, "crop": "disabled"}, (128, 128)),
        ("LatentUpscale", {"width": 0, "height": 0, "crop": "center"}, (64, 64)),
        ("LatentUpscaleBy", {"scale_by": 1.6}, (96, 96)),
    ],
)
def test_latents_are_scaled_in_whole_cells(client, kind, inputs, expected):
    graph = txt2img()
    graph["10"] = node(kind, samples=["3", 0], upscale_method="bilinear", **inputs)
    graph["8"]["inputs"]["samples"] = ["10", 0]

    assert client.picture(graph).size == expected
