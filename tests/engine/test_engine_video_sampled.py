"""Videos of a sampler through the engine's door: posters, progress, interruption."""

import io

import numpy as np
from engine_probe import models_of_the_captured_server
from engine_videos import decoded, frames, node, sampled_video
from PIL import Image


def test_a_sampled_video_comes_with_its_first_frame_as_a_poster(client):
    graph = sampled_video(length=12)
    graph["f"] = node("ImageFromBatch", image=["1", 0], batch_index=0, length=1)
    graph["s"] = node("SaveImage", images=["f", 0], filename_prefix="poster")

    outputs = client.run(graph)["outputs"]

    pictures = decoded(client.get("/view", params=outputs["9"]["images"][0]).content)[0]
    poster = Image.open(io.BytesIO(client.get("/view", params=outputs["s"]["images"][0]).content))
    assert len(pictures) == 9
    assert np.abs(np.asarray(poster).astype(int) - pictures[0]).mean() < 8
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() > 0.5


def test_a_node_that_needs_every_frame_gets_them_all(client):
    graph = sampled_video()
    graph["x"] = node("ImageInvert", image=["1", 0])
    graph["s"] = node("SaveImage", images=["x", 0], filename_prefix="inverted")

    assert len(client.run(graph)["outputs"]["s"]["images"]) == 9


def test_a_video_is_interrupted_between_its_frames(start):
    client = start()
    graph = sampled_video(length=4001, width=192, height=128)
    socket = client.socket("me")
    prompt_id = client.submit(graph, client_id="me")
    socket.until(lambda m: m["type"] == "executing" and m["data"].get("node") == "9")

    client.post("/interrupt", {"prompt_id": prompt_id})

    entry = client.wait(prompt_id)
    assert entry["status"]["messages"][-1][0] == "execution_interrupted"
    assert not [path for path in (client.server.folder / "output").rglob("*") if path.is_file()]


def test_the_progress_of_a_video_is_told_step_by_step(client):
    socket = client.socket("steps")
    # A seed of its own: what an earlier prompt has sampled comes from the cache, without steps.
    prompt_id = client.submit(sampled_video(seed=7), client_id="steps")

    messages = socket.until_done(prompt_id)

    steps = [m["data"]["value"] for m in messages if not isinstance(m, bytes) and m["type"] == "progress"]
    assert steps == [1, 2, 3]


def test_an_image_only_checkpoint_gives_its_vision_model(client):
    name = models_of_the_captured_server()["checkpoints"][0]
    graph = {
        "m": node("ImageOnlyCheckpointLoader", ckpt_name=name),
        "1": frames(1),
        "e": node("CLIPVisionEncode", clip_vision=["m", 1], image=["1", 0], crop="center"),
        "9": node("PreviewAny", source=["e", 0]),
    }

    assert client.run(graph)["status"]["completed"]
