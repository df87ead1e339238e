"""Nodes that the embedded engine lacks, for tests: they write small real files as ComfyUI's own would."""

import io

from PIL import Image

from comfygen_mcp.engine.nodes.spec import Input, Node, link, slots, text
from comfygen_mcp.engine.task import Shown


def box(kind, content=b""):
    """Return one MP4 box."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def mp4():
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"moov", bytes(64)) + box(b"mdat", bytes(512))


def flac(rate=44100, samples=44100):
    """Return the head of a FLAC file: its STREAMINFO block, and some bytes where frames would be."""
    packed = (rate << 44) | (1 << 41) | (15 << 36) | samples
    stream = (
        (4096).to_bytes(2, "big") * 2 + (14).to_bytes(3, "big") * 2 + packed.to_bytes(8, "big") + bytes(16)
    )
    return b"fLaC" + bytes([0x80]) + len(stream).to_bytes(3, "big") + stream + bytes(200)


def _written(task, prefix, ending, data, **key):
    subfolder, _, stem = prefix.rpartition("/")
    folder = task.folders.inside("output", subfolder)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{stem}_00001{ending}"
    (folder / name).write_bytes(data)
    ((kind, more),) = key.items()
    return {kind: [{"filename": name, "subfolder": subfolder, "type": "output"}], **more}


def _webp(task, *, images, filename_prefix, **_):
    first, *others = [Image.fromarray(picture) for picture in images]
    buffer = io.BytesIO()
    first.save(buffer, "WEBP", save_all=True, append_images=others, lossless=True, duration=166)
    data = buffer.getvalue()
    return Shown((), _written(task, filename_prefix, "_.webp", data, images={"animated": [True]}))


def _video(task, *, video, filename_prefix, **_):
    return Shown((), _written(task, filename_prefix, "_.mp4", mp4(), images={"animated": [True]}))


def _audio(task, *, audio, filename_prefix, **_):
    return Shown((), _written(task, filename_prefix, ".flac", flac(), audio={}))


def _text(task, *, text, filename_prefix, format):  # noqa: A002 - the node's own name for it
    data = text.encode()
    return Shown((text,), _written(task, filename_prefix, f".{format}", data, files={"text": [text]}))


def _output(name, run, **inputs):
    given = {**inputs, "filename_prefix": text("ComfyUI")}
    return Node(name, name, "test", given, (), run, output_node=True)


_NODES = (
    _output("SaveAnimatedWEBP", _webp, images=link("IMAGE")),
    Node(
        "CreateVideo",
        "CreateVideo",
        "test",
        {"images": link("IMAGE"), "fps": Input("FLOAT")},
        slots("VIDEO"),
        lambda _, *, images, fps: ((images, fps),),
    ),
    _output("SaveVideo", _video, video=link("VIDEO")),
    Node(
        "EmptyAudio",
        "EmptyAudio",
        "test",
        {"duration": Input("FLOAT"), "sample_rate": Input("INT"), "channels": Input("INT")},
        slots("AUDIO"),
        lambda _, **silence: (silence,),
    ),
    _output("SaveAudio", _audio, audio=link("AUDIO")),
    _output("SaveText", _text, text=link("STRING"), format=Input("STRING")),
)
MORE_NODES = {node.name: node for node in _NODES}
"""Class → node, to be put into a running engine's registry."""
