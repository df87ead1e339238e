"""Sound nodes: silence, and saving it."""

from dataclasses import replace
from typing import Any

from comfygen_mcp.engine.encoders import Container, SoundTrack, write_sound
from comfygen_mcp.engine.nodes.limits import check_sound
from comfygen_mcp.engine.nodes.saving import HIDDEN_V3, Target, about, prefix_input, target
from comfygen_mcp.engine.nodes.spec import (
    Branch,
    Input,
    Node,
    choice,
    dynamic,
    integer,
    link,
    number,
    slots,
)
from comfygen_mcp.engine.task import Shown, Task
from comfygen_mcp.engine.values import Sound

MODULE = "comfy_extras.nodes_audio"
MP3_QUALITIES = ("V0", "128k", "320k")
OPUS_QUALITIES = ("64k", "96k", "128k", "192k", "320k")
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


def silence(_: Task, *, duration: float, sample_rate: int, channels: int) -> tuple[Sound]:
    check_sound(duration)
    return (Sound(sample_rate, channels, round(duration * sample_rate)),)


def save_flac(task: Task, *, audio: Sound, filename_prefix: str = "ComfyUI") -> Shown:
    return _saved(task, audio, target(task, "output", filename_prefix), "flac")


def save_mp3(task: Task, *, audio: Sound, filename_prefix: str = "ComfyUI", quality: str = "V0") -> Shown:
    return _saved(task, audio, target(task, "output", filename_prefix), "mp3", quality)


def save_opus(task: Task, *, audio: Sound, filename_prefix: str = "ComfyUI", quality: str = "128k") -> Shown:
    return _saved(task, audio, target(task, "output", filename_prefix), "opus", quality)


def save_any(task: Task, *, audio: Sound, filename_prefix: str, **chosen: str) -> Shown:
    form = chosen["format"]
    quality = chosen.get("format.quality", {"mp3": "V0", "opus": "128k"}.get(form, ""))
    return _saved(task, audio, target(task, "output", filename_prefix), form, quality)


def preview(task: Task, *, audio: Sound) -> Shown:
    from comfygen_mcp.engine.nodes.image_files import TEMP_PREFIX

    return _saved(task, audio, target(task, "temp", TEMP_PREFIX), "flac")


def _saved(task: Task, sound: Sound, place: Target, form: str, quality: str = "") -> Shown:
    path, listed = place.file(f".{form}")
    container = Container(path, "ogg" if form == "opus" else form, about(task))
    write_sound(container, _track(sound, form, quality), check_interrupt=task.check_interrupt)
    return Shown((sound,), {"audio": [listed]})


def _track(sound: Sound, form: str, quality: str) -> SoundTrack:
    bit_rate = int(quality.removesuffix("k")) * 1000 if quality.endswith("k") else None
    if form == "mp3":
        return SoundTrack("libmp3lame", sound, quality=1 if quality == "V0" else None, bit_rate=bit_rate)
    if form == "opus":
        return SoundTrack("libopus", _at_an_opus_rate(sound), bit_rate=bit_rate)
    return SoundTrack("flac", sound)


def _at_an_opus_rate(sound: Sound) -> Sound:
    """Return the sound at the next rate that Opus has, as ComfyUI resamples it."""
    if sound.rate in OPUS_RATES:
        return sound
    rate = next((rate for rate in OPUS_RATES if rate > sound.rate), OPUS_RATES[-1])
    return replace(sound, rate=rate, samples=round(sound.samples * rate / sound.rate))


def _quality(default: str, choices: tuple[str, ...]) -> Input:
    return choice(*choices, form="v3", default=default)


def _saver(name: str, title: str, run: Any, *, deprecated: bool = True, **more: Input) -> Node:
    return Node(
        name,
        title,
        "audio",
        {"audio": link("AUDIO", "The audio to save."), "filename_prefix": PREFIX, **more},
        slots("AUDIO:audio"),
        run,
        module=MODULE,
        output_node=True,
        deprecated=deprecated,
        hidden=HIDDEN_V3,
    )


PREFIX = prefix_input("audio/ComfyUI", None)

NODES = (
    Node(
        "EmptyAudio",
        "Empty Audio",
        "audio",
        {
            "duration": number(
                60.0, 0.0, 2**64 - 1, step=0.01, tooltip="Duration of the empty audio clip in seconds"
            ),
            "sample_rate": integer(44100, 1, 192000, tooltip="Sample rate of the empty audio clip."),
            "channels": integer(2, 1, 2, tooltip="Number of audio channels (1 for mono, 2 for stereo)."),
        },
        slots("AUDIO"),
        silence,
        module=MODULE,
    ),
    _saver("SaveAudio", "Save Audio (FLAC)", save_flac),
    _saver("SaveAudioMP3", "Save Audio (MP3)", save_mp3, quality=_quality("V0", MP3_QUALITIES)),
    _saver("SaveAudioOpus", "Save Audio (Opus)", save_opus, quality=_quality("128k", OPUS_QUALITIES)),
    _saver(
        "SaveAudioAdvanced",
        "Save Audio",
        save_any,
        deprecated=False,
        format=dynamic(
            Branch("flac"),
            Branch("mp3", {"quality": _quality("V0", MP3_QUALITIES)}),
            Branch("opus", {"quality": _quality("128k", OPUS_QUALITIES)}),
        ),
    ),
    Node(
        "PreviewAudio",
        "Preview Audio",
        "audio",
        {"audio": link("AUDIO", "The audio to preview.")},
        slots("AUDIO:audio"),
        preview,
        module=MODULE,
        output_node=True,
        hidden=HIDDEN_V3,
    ),
)
