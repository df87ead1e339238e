"""Text and guidance nodes: words become a Conditioning."""

from dataclasses import replace

from comfygen_mcp.engine.nodes.spec import Input, Node, choice, integer, link, number, slots, text
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Clip, ClipVision, Conditioning, Pictures


def encode_text(_: Task, *, text: str, clip: Clip) -> tuple[Conditioning]:
    return (Conditioning(text, loras=clip.loras),)


def encode_flux(_: Task, *, clip: Clip, clip_l: str, t5xxl: str, guidance: float) -> tuple[Conditioning]:
    return (Conditioning(_joined(t5xxl, clip_l), guidance, clip.loras),)


def encode_sd3(
    _: Task, *, clip: Clip, clip_l: str, clip_g: str, t5xxl: str, empty_padding: str
) -> tuple[Conditioning]:
    del empty_padding
    return (Conditioning(_joined(t5xxl, clip_g, clip_l), loras=clip.loras),)


def encode_sdxl(_: Task, *, clip: Clip, text_g: str, text_l: str, **__: int) -> tuple[Conditioning]:
    return (Conditioning(_joined(text_g, text_l), loras=clip.loras),)


def guide(_: Task, *, conditioning: Conditioning, guidance: float) -> tuple[Conditioning]:
    return (replace(conditioning, guidance=guidance),)


def zero_out(_: Task, *, conditioning: Conditioning) -> tuple[Conditioning]:
    del conditioning
    return (Conditioning(""),)


def combine(_: Task, *, conditioning_1: Conditioning, conditioning_2: Conditioning) -> tuple[Conditioning]:
    text = _joined(conditioning_1.text, conditioning_2.text)
    return (replace(conditioning_1, text=text),)


def skip_layers(_: Task, *, clip: Clip, stop_at_clip_layer: int) -> tuple[Clip]:
    del stop_at_clip_layer
    return (clip,)


def see(_: Task, *, clip_vision: ClipVision, image: Pictures, crop: str) -> tuple[Pictures]:
    del clip_vision, crop
    return (image,)


def _joined(*texts: str) -> str:
    """Join the texts for several encoders, which are mostly the same one."""
    return ", ".join(dict.fromkeys(t for t in texts if t.strip()))


def _size(default: int) -> Input:
    return integer(default, 0, 16384)


PROMPT = text(multiline=True, tooltip="The text to be encoded.")
CLIP = link("CLIP", "The CLIP model used for encoding the text.")
GUIDANCE = number(3.5, 0.0, 100.0, step=0.1)
FLUX = "model/conditioning/flux"
STABLE_DIFFUSION = "model/conditioning/stable diffusion"

NODES = (
    Node(
        "CLIPTextEncode",
        "CLIP Text Encode (Prompt)",
        "model/conditioning",
        {"text": PROMPT, "clip": CLIP},
        slots("CONDITIONING"),
        encode_text,
    ),
    Node(
        "CLIPTextEncodeFlux",
        "CLIPTextEncodeFlux",
        FLUX,
        {
            "clip": link("CLIP"),
            "clip_l": text(multiline=True),
            "t5xxl": text(multiline=True),
            "guidance": GUIDANCE,
        },
        slots("CONDITIONING"),
        encode_flux,
        module="comfy_extras.nodes_flux",
    ),
    Node(
        "CLIPTextEncodeSD3",
        "CLIPTextEncodeSD3",
        STABLE_DIFFUSION,
        {
            "clip": link("CLIP"),
            "clip_l": text(multiline=True),
            "clip_g": text(multiline=True),
            "t5xxl": text(multiline=True),
            "empty_padding": choice("none", "empty_prompt", form="v3"),
        },
        slots("CONDITIONING"),
        encode_sd3,
        module="comfy_extras.nodes_sd3",
    ),
    Node(
        "CLIPTextEncodeSDXL",
        "CLIPTextEncodeSDXL",
        STABLE_DIFFUSION,
        {
            "clip": link("CLIP"),
            "width": _size(1024),
            "height": _size(1024),
            "crop_w": _size(0),
            "crop_h": _size(0),
            "target_width": _size(1024),
            "target_height": _size(1024),
            "text_g": text(multiline=True),
            "text_l": text(multiline=True),
        },
        slots("CONDITIONING"),
        encode_sdxl,
        module="comfy_extras.nodes_clip_sdxl",
    ),
    Node(
        "FluxGuidance",
        "FluxGuidance",
        FLUX,
        {"conditioning": link("CONDITIONING"), "guidance": GUIDANCE},
        slots("CONDITIONING"),
        guide,
        module="comfy_extras.nodes_flux",
    ),
    Node(
        "ConditioningZeroOut",
        "ConditioningZeroOut",
        "model/conditioning/transform",
        {"conditioning": link("CONDITIONING")},
        slots("CONDITIONING"),
        zero_out,
    ),
    Node(
        "ConditioningCombine",
        "Conditioning (Combine)",
        "model/conditioning/transform",
        {"conditioning_1": link("CONDITIONING"), "conditioning_2": link("CONDITIONING")},
        slots("CONDITIONING"),
        combine,
    ),
    Node(
        "CLIPSetLastLayer",
        "CLIP Set Last Layer",
        "model/conditioning",
        {"clip": link("CLIP"), "stop_at_clip_layer": integer(-1, -24, -1, step=1)},
        slots("CLIP"),
        skip_layers,
    ),
    Node(
        "CLIPVisionEncode",
        "CLIP Vision Encode",
        "model/conditioning",
        {"clip_vision": link("CLIP_VISION"), "image": link("IMAGE"), "crop": choice("center", "none")},
        slots("CLIP_VISION_OUTPUT"),
        see,
    ),
)
