"""Captured outputs of every kind of node."""

import pytest
from replay_server import transcript

from comfygen_mcp.comfyui.history import read_history
from comfygen_mcp.comfyui.outputs import RemoteFile, RemoteText, list_outputs
from comfygen_mcp.comfyui.queue import read_queue

OUTPUTS = transcript("outputs")


@pytest.mark.parametrize(
    ("name", "filename", "subfolder", "kind", "media"),
    [
        ("SaveVideo_both_styles", "Both_00001_.mp4", "video", "output", "video"),
        ("SaveText", "out_00001.md", "txt", "output", "text"),
        ("two_save_nodes_same_prefix", "same_00001_.png", "", "output", "image"),
        ("LoadImage_subfolder", "ComfyUI_temp_sumqp_00002_.png", "", "temp", "image"),
    ],
)
def test_one_file_is_listed_once_with_its_folder_type_and_kind(name, filename, subfolder, kind, media):
    (file,) = list_outputs(OUTPUTS[name])

    assert (file.filename, file.subfolder, file.type, file.media) == (filename, subfolder, kind, media)


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("SaveWEBM", "video"),
        ("SaveAnimatedWEBP", "image"),
        ("SaveAudioMP3", "audio"),
        ("SaveAudio_flac", "audio"),
        ("SaveImageAdvanced_exr", "image"),
        ("SaveLatent", "other"),
    ],
)
def test_the_media_kind_comes_from_the_extension_and_not_from_the_key(name, media):
    assert [file.media for file in list_outputs(OUTPUTS[name])] == [media]


def test_every_key_is_searched_and_all_images_of_a_batch_are_found_in_order():
    batch = [file.filename for file in list_outputs(OUTPUTS["SaveImage_batch3"])]

    assert len(batch) == 3
    assert batch == sorted(batch)
    assert len(list_outputs(OUTPUTS["ImageCompare"])) == 2


def test_texts_without_a_file_are_outputs_too():
    assert list_outputs(OUTPUTS["PreviewAny"]) == [RemoteText(node_id="2", text="42")]


def test_previews_count_only_where_nothing_was_saved():
    preview = {"images": [{"filename": "p.png", "subfolder": "", "type": "temp"}]}
    saved = {"gifs": [{"filename": "s.gif", "type": "output"}], "animated": [True]}
    given = {"images": [{"filename": "in.png", "type": "input"}]}

    assert list_outputs({"1": preview, "2": saved, "3": given}) == [RemoteFile(node_id="2", filename="s.gif")]
    assert [file.type for file in list_outputs({"1": preview, "3": given})] == ["temp"]


def test_outputs_of_no_shape_are_passed_over():
    assert list_outputs({"1": None, "2": {"images": None, "x": [3, {"filename": ""}]}}) == []


def test_a_history_tells_how_long_the_prompt_waited_and_ran():
    run = transcript("run_sd15_2steps_preview_auto_flag")
    prompt_id = run["prompt_response"]["prompt_id"]
    history = read_history(run["history"], prompt_id)

    assert history.status == "success"
    assert (history.times.queued_ms, history.times.running_ms) == (2, 34991)
    assert read_history({}, prompt_id) is None


def test_a_history_of_an_old_server_has_no_waiting_time():
    entry = {"prompt": [1, "p", {}, {}, []], "outputs": {}, "status": None}

    history = read_history({"p": entry}, "p")

    assert history.status == "success"
    assert (history.times.queued_ms, history.times.running_ms) == (None, None)


def test_waiting_prompts_are_listed_in_the_order_in_which_they_will_run():
    queue = read_queue(transcript("queue"))

    assert queue.running == ("a454d8aa-e94e-4201-a91c-62bd74389938",)
    assert queue.pending[0] == "0919a83c-7a59-442e-958c-dc18d711fd4a"
    assert queue.ahead_of(queue.pending[1]) == 2
    assert queue.ahead_of(queue.running[0]) is None
    assert queue.running[0] in queue
