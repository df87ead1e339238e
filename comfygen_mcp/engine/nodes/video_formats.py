"""The containers and codecs of SaveVideo: its dynamic combo as ComfyUI has it, and what a choice means."""

from dataclasses import dataclass
from typing import Any

from comfygen_mcp.engine.nodes.spec import Branch, Input, choice, dynamic, number

FASTEST_AV1 = "12"
H264 = {"preset": "veryfast"}
AV1 = {"preset": FASTEST_AV1}
DEFAULT_CRF = {"h264": 23.0, "av1": 30.0}


@dataclass(frozen=True)
class Encoding:
    """*muxer* and *encoder* are PyAV's names; *ending* is the file's."""

    ending: str
    muxer: str
    encoder: str
    options: dict[str, str]


def encoding_of(container: str, codec: str, crf: float | None) -> Encoding:
    """Return how to write a video; `auto` is H.264 in MP4, and AV1 in the one container that has no other."""
    ending = "mp4" if container == "auto" else container
    codec = ("av1" if ending == "webm" else "h264") if codec == "auto" else codec
    options = {**(H264 if codec == "h264" else AV1), "crf": f"{crf or DEFAULT_CRF[codec]:g}"}
    encoder = "libx264" if codec == "h264" else "libsvtav1"
    return Encoding(ending, "matroska" if ending == "mkv" else ending, encoder, options)


def chosen(given: dict[str, Any]) -> Encoding:
    """Return what the inputs of a SaveVideo choose, in the newer form (`format.codec`) or the older one."""
    container = given.get("format", "auto")
    under = "format.codec" if "format.codec" in given else "codec"
    crf = given.get(f"{under}.encoding.crf")
    return encoding_of(container, given.get(under, "auto"), crf)


def format_input() -> Input:
    both = ("h264", "av1")
    codecs = {"auto": both, "mp4": both, "mkv": both, "webm": ("av1",)}
    return dynamic(
        *(Branch(container, {"codec": codec_input(*listed)}) for container, listed in codecs.items()),
        tooltip="The output container. Auto preserves the source container when possible; MP4, MKV, and WebM "
        "select a specific container.",
    )


def codec_input(*codecs: str, **options: Any) -> Input:
    return dynamic(
        Branch("auto"),
        *(Branch(codec, optional={"encoding": _encoding(codec)}) for codec in codecs),
        tooltip="The output video codec. Auto preserves a compatible source stream. H.264 and AV1 "
        "re-encoding support SDR, HDR (HLG), and HDR PQ.",
        **options,
    )


def _encoding(codec: str) -> Input:
    crf = number(
        DEFAULT_CRF[codec],
        0.0,
        51.0 if codec == "h264" else 63.0,
        step=1.0,
        tooltip="Lower values produce higher quality and larger files.",
    )
    colours = choice("auto", "sRGB", "HDR", "HDR PQ", form="v3", default="auto")
    return dynamic(Branch("auto"), Branch("re-encode", {"crf": crf, "color_space": colours}))
