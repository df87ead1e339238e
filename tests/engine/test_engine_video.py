"""Video files through the engine's door, as a client gets them."""

import json
import sys

import numpy as np
import pytest
from engine_videos import decoded, frames, node, only_file, sampled_video, video


@pytest.mark.parametrize(
    ("save", "ending", "codec"),
    [
        ({"format.codec": "auto"}, "mp4", "h264"),
        ({"format": "mp4", "format.codec": "h264"}, "mp4", "h264"),
        ({"format": "mp4", "codec": "h264"}, "mp4", "h264"),
        ({"format": "mkv", "format.codec": "h264"}, "mkv", "h264"),
        ({"format": "webm", "format.codec": "auto"}, "webm", "av1"),
        (
            {
                "format": "mp4",
                "format.codec": "h264",
                "format.codec.encoding": "re-encode",
                "format.codec.encoding.crf": 40.0,
                "format.codec.encoding.color_space": "auto",
            },
            "mp4",
            "h264",
        ),
    ],
)
def test_a_video_is_written_in_the_chosen_form(client, save, ending, codec):
    entry = client.run({"1": frames(), **video(**save)})

    file, reply = only_file(client, entry)
    pictures, name, rate, _ = decoded(reply.content)
    assert file["filename"].endswith(f"_.{ending}")
    assert (len(pictures), pictures[0].shape, rate) == (5, (48, 64, 3), 10.0)
    assert codec in name  # AV1 is decoded by libdav1d
    assert np.abs(pictures[2][20, 20].astype(int) - (0x30, 0x60, 0xC0)).max() < 12


def test_an_mp4_starts_at_once_and_carries_its_graph(client):
    graph = {"1": frames(), **video()}

    entry = client.run(graph, extra_data={"extra_pnginfo": {"workflow": {"id": "wf"}}})

    _, reply = only_file(client, entry)
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.content.index(b"moov") < reply.content.index(b"mdat")
    metadata = decoded(reply.content)[3]
    assert json.loads(metadata["prompt"])["1"]["class_type"] == "EmptyImage"
    assert metadata["comfygen_engine"] == "procedural"
    assert json.loads(metadata["workflow"]) == {"id": "wf"}


def test_an_odd_size_loses_its_last_row_and_column(client):
    _, reply = only_file(client, client.run({"1": frames(width=65, height=49), **video()}))

    assert decoded(reply.content)[0][0].shape == (48, 64, 3)


def test_a_choice_that_the_dynamic_input_does_not_have_is_refused(client):
    for save, name in (
        ({"format": "avi"}, "format"),
        ({"format": "webm", "format.codec": "h264"}, "format.codec"),
    ):
        reply = client.post("/prompt", {"prompt": {"1": frames(), **video(**save)}})

        error = reply.json()["node_errors"]["9"]["errors"][0]
        assert reply.status_code == 400
        assert (error["type"], error["extra_info"]["input_name"]) == ("value_not_in_list", name)


def test_the_older_version_has_plain_choices(start):
    client = start(comfyui_version="0.3.64")

    inputs = client.get("/object_info/SaveVideo").json()["SaveVideo"]["input"]["required"]
    _, reply = only_file(client, client.run({"1": frames(), **video(format="mp4", codec="h264")}))

    assert inputs["codec"][1]["options"] == ["auto", "h264"]
    assert len(decoded(reply.content)[0]) == 5
    assert client.get("/object_info/SaveText").json() == {}


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_a_webm_is_written(client, codec):
    graph = {
        "1": frames(),
        "9": node("SaveWEBM", images=["1", 0], filename_prefix="w", codec=codec, fps=8.0, crf=30.0),
    }

    entry = client.run(graph)

    _, reply = only_file(client, entry)
    assert entry["outputs"]["9"]["animated"] == [True]
    assert len(decoded(reply.content)[0]) == 5


def test_without_pyav_a_video_says_what_to_install(client, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)

    told = client.run({"1": frames(), **video()})["status"]["messages"][-1][1]

    assert told["exception_type"] == "ModuleNotFoundError"
    assert "comfygen-mcp[video]" in told["exception_message"]
    assert told["node_type"] == "SaveVideo"


def test_a_codec_that_fails_is_told_without_a_path_and_leaves_no_file(client):
    graph = {"1": frames(width=2, height=2), **video(format="webm", filename_prefix="failing")}

    told = client.run(graph)["status"]["messages"][-1][1]

    assert told["exception_type"] == "av.error.ArgumentError"
    assert told["exception_message"] == "Invalid argument\n"
    assert not list((client.server.folder / "output").glob("*failing*"))


@pytest.mark.parametrize("size", [(1, 1), (64, 1), (1, 48)])
def test_frames_too_small_for_a_video_are_refused_by_their_size(client, size):
    graph = {"1": frames(width=size[0], height=size[1]), **video()}

    told = client.run(graph)["status"]["messages"][-1][1]

    assert told["exception_type"] == "ValueError"
    assert f"at least 2x2 pixels, and these frames are {size[0]}x{size[1]}" in told["exception_message"]


def test_an_endless_sound_and_an_endless_video_are_refused_by_their_size(client):
    sound = {
        "a": node("EmptyAudio", duration=1e9, sample_rate=44100, channels=2),
        "9": node("SaveAudio", audio=["a", 0], filename_prefix="s"),
    }
    film = sampled_video(length=16384, width=1920, height=1088)

    for graph, words in ((sound, "s of sound"), (film, "16381 frames of 1920x1088")):
        told = client.run(graph)["status"]["messages"][-1][1]
        assert told["exception_type"] == "torch.OutOfMemoryError"
        assert words in told["exception_message"]
