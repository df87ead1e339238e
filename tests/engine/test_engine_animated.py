"""Animated WebP and PNG through the engine's door."""

import io

import pytest
from engine_videos import frames, node, only_file
from PIL import Image


@pytest.mark.parametrize(
    ("saver", "more"),
    [
        ("SaveAnimatedWEBP", {"lossless": True, "quality": 80, "method": "fastest"}),
        ("SaveAnimatedPNG", {"compress_level": 4}),
    ],
)
def test_an_animation_has_every_frame_and_its_graph(client, saver, more):
    graph = {
        "1": frames(1, colour=0xFF0000),
        "2": frames(1, colour=0x0000FF),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "9": node(saver, images=["3", 0], filename_prefix="a", fps=5.0, **more),
    }

    entry = client.run(graph, extra_data={"extra_pnginfo": {"workflow": {"id": "wf"}}})

    _, reply = only_file(client, entry)
    assert entry["outputs"]["9"]["animated"] == [True]
    assert b"EmptyImage" in reply.content
    assert b"procedural" in reply.content
    with Image.open(io.BytesIO(reply.content)) as opened:
        assert opened.n_frames == 2
        opened.seek(1)
        assert opened.convert("RGB").getpixel((3, 3)) == (0, 0, 255)
