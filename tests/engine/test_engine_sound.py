"""Silence through the engine's door, as real audio files."""

import io

import av
import pytest
from engine_videos import frames, node, only_file, video


def test_sound_is_put_beside_the_frames(client):
    graph = {"1": frames(), "a": node("EmptyAudio", duration=0.5, sample_rate=44100, channels=2), **video()}
    graph["c"]["inputs"]["audio"] = ["a", 0]

    _, reply = only_file(client, client.run(graph))

    with av.open(io.BytesIO(reply.content)) as opened:
        assert [stream.codec_context.name for stream in opened.streams.audio] == ["aac"]


@pytest.mark.parametrize(
    ("saver", "more", "codec", "rate"),
    [
        ("SaveAudio", {}, "flac", 44100),
        ("SaveAudioMP3", {"quality": "V0"}, "mp3", 44100),
        ("SaveAudioOpus", {"quality": "96k"}, "opus", 48000),
        ("SaveAudioAdvanced", {"format": "flac"}, "flac", 44100),
        ("SaveAudioAdvanced", {"format": "mp3", "format.quality": "320k"}, "mp3", 44100),
        ("SaveAudioAdvanced", {"format": "opus"}, "opus", 48000),
    ],
)
def test_silence_is_saved_as_long_as_it_is(client, saver, more, codec, rate):
    graph = {
        "a": node("EmptyAudio", duration=1.5, sample_rate=44100, channels=2),
        "9": node(saver, audio=["a", 0], filename_prefix="s", **more),
    }

    _, reply = only_file(client, client.run(graph), "audio")

    with av.open(io.BytesIO(reply.content)) as opened:
        stream = opened.streams.audio[0]
        samples = sum(frame.samples for frame in opened.decode(audio=0))
        assert stream.codec_context.name.removesuffix("float") == codec
        assert abs(samples / stream.codec_context.sample_rate - 1.5) < 0.1
        assert stream.codec_context.sample_rate == rate


@pytest.mark.parametrize(("rate", "expected"), [(9000, 12000), (192000, 48000), (24000, 24000)])
def test_opus_takes_the_next_rate_that_it_has(client, rate, expected):
    graph = {
        "a": node("EmptyAudio", duration=0.2, sample_rate=rate, channels=1),
        "9": node("SaveAudioOpus", audio=["a", 0], filename_prefix="rate", quality="96k"),
    }

    _, reply = only_file(client, client.run(graph), "audio")

    told = reply.content.index(b"OpusHead") + 12
    assert int.from_bytes(reply.content[told : told + 4], "little") == expected


def test_a_mono_preview_of_sound_is_temporary(client):
    graph = {
        "a": node("EmptyAudio", duration=0.2, sample_rate=8000, channels=1),
        "9": node("PreviewAudio", audio=["a", 0]),
    }

    file, reply = only_file(client, client.run(graph), "audio")

    assert file["type"] == "temp"
    assert reply.content[:4] == b"fLaC"
