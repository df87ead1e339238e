"""Latents of videos: empty ones, and those that begin with a picture."""

from typing import Any

from comfygen_mcp.engine.nodes.limits import check_frames
from comfygen_mcp.engine.nodes.spec import Input, Node, integer, link, maybe, number, slots, switch
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Conditioning, Latent, Pictures, Sigmas, Vae

WAN_STRIDE, LTX_STRIDE = 4, 8
"""So many frames share one latent: a length is rounded down to a multiple of it, plus one."""


def empty_hunyuan(_: Task, *, width: int, height: int, length: int, batch_size: int = 1) -> tuple[Latent]:
    return (_latent((width, height), length, batch_size, stride=WAN_STRIDE),)


def empty_ltxv(_: Task, *, width: int, height: int, length: int, batch_size: int = 1) -> tuple[Latent]:
    return (_latent((width, height), length, batch_size, stride=LTX_STRIDE, cell=32),)


def image_to_wan(  # noqa: PLR0913 - the node has that many inputs
    _: Task,
    *,
    positive: Conditioning,
    negative: Conditioning,
    width: int,
    height: int,
    length: int,
    batch_size: int,
    start_image: Pictures | None = None,
    **__: Any,
) -> tuple[Conditioning, Conditioning, Latent]:
    latent = _latent((width, height), length, batch_size, stride=WAN_STRIDE, start=start_image)
    return positive, negative, latent


def image_to_wan22(
    _: Task,
    *,
    vae: Vae,
    width: int,
    height: int,
    length: int,
    batch_size: int,
    start_image: Pictures | None = None,
) -> tuple[Latent]:
    del vae
    return (_latent((width, height), length, batch_size, stride=WAN_STRIDE, cell=16, start=start_image),)


def image_to_ltxv(  # noqa: PLR0913 - the node has that many inputs
    _: Task,
    *,
    positive: Conditioning,
    negative: Conditioning,
    image: Pictures,
    width: int,
    height: int,
    length: int,
    batch_size: int,
    **__: Any,
) -> tuple[Conditioning, Conditioning, Latent]:
    latent = _latent((width, height), length, batch_size, stride=LTX_STRIDE, cell=32, start=image)
    return positive, negative, latent


def condition_ltxv(
    _: Task, *, positive: Conditioning, negative: Conditioning, frame_rate: float
) -> tuple[Conditioning, Conditioning]:
    del frame_rate
    return positive, negative


def schedule_ltxv(_: Task, *, steps: int, **__: Any) -> tuple[Sigmas]:
    return (Sigmas(steps),)


def _latent(
    size: tuple[int, int],
    length: int,
    count: int,
    *,
    stride: int,
    cell: int = 8,
    start: Pictures | None = None,
) -> Latent:
    width, height = (max(cell, side // cell * cell) for side in size)
    frames = (length - 1) // stride * stride + 1
    check_frames(width, height, frames * count)
    return Latent(width, height, count, frames=frames, start=start)


def _sizes(width: int, height: int, low: int, step: int, length: Input) -> dict[str, Input]:
    return {
        "width": integer(width, low, 16384, step=step),
        "height": integer(height, low, 16384, step=step),
        "length": length,
        "batch_size": integer(1, 1, 4096),
    }


def _length(default: int, low: int, stride: int) -> Input:
    return integer(default, low, 16384, step=stride)


PAIR = {"positive": link("CONDITIONING"), "negative": link("CONDITIONING")}
GIVEN = slots("CONDITIONING:positive", "CONDITIONING:negative")
LTX, WAN = "comfy_extras.nodes_lt", "comfy_extras.nodes_wan"

NODES = (
    Node(
        "EmptyHunyuanLatentVideo",
        "Empty HunyuanVideo 1.0 Latent",
        "model/latent/hunyuan video",
        _sizes(848, 480, 16, 16, _length(25, 1, WAN_STRIDE)),
        slots("LATENT"),
        empty_hunyuan,
        module="comfy_extras.nodes_hunyuan",
    ),
    Node(
        "EmptyLTXVLatentVideo",
        "EmptyLTXVLatentVideo",
        "model/latent/ltxv",
        _sizes(768, 512, 64, 32, _length(97, 1, LTX_STRIDE)),
        slots("LATENT"),
        empty_ltxv,
        module=LTX,
    ),
    Node(
        "WanImageToVideo",
        "WanImageToVideo",
        "model/conditioning/wan",
        {
            **PAIR,
            "vae": link("VAE"),
            **_sizes(832, 480, 16, 16, _length(81, 1, WAN_STRIDE)),
            "clip_vision_output": maybe(link("CLIP_VISION_OUTPUT")),
            "start_image": maybe(link("IMAGE")),
        },
        (*GIVEN, *slots("LATENT:latent")),
        image_to_wan,
        module=WAN,
    ),
    Node(
        "Wan22ImageToVideoLatent",
        "Wan22ImageToVideoLatent",
        "model/conditioning/wan",
        {
            "vae": link("VAE"),
            **_sizes(1280, 704, 32, 32, _length(49, 1, WAN_STRIDE)),
            "start_image": maybe(link("IMAGE")),
        },
        slots("LATENT"),
        image_to_wan22,
        module=WAN,
    ),
    Node(
        "LTXVImgToVideo",
        "LTXVImgToVideo",
        "model/conditioning/ltxv",
        {
            **PAIR,
            "vae": link("VAE"),
            "image": link("IMAGE"),
            **_sizes(768, 512, 64, 32, _length(97, 9, LTX_STRIDE)),
            "strength": number(1.0, 0.0, 1.0),
        },
        (*GIVEN, *slots("LATENT:latent")),
        image_to_ltxv,
        module=LTX,
    ),
    Node(
        "LTXVConditioning",
        "LTXVConditioning",
        "model/conditioning/ltxv",
        {**PAIR, "frame_rate": number(25.0, 0.0, 1000.0, step=0.01)},
        GIVEN,
        condition_ltxv,
        module=LTX,
    ),
    Node(
        "LTXVScheduler",
        "LTXVScheduler",
        "model/sampling/schedulers",
        {
            "steps": integer(20, 1, 10000),
            "max_shift": number(2.05, 0.0, 100.0, step=0.01),
            "base_shift": number(0.95, 0.0, 100.0, step=0.01),
            "stretch": switch(default=True),
            "terminal": number(0.1, 0.0, 0.99, step=0.01),
            "latent": maybe(link("LATENT")),
        },
        slots("SIGMAS"),
        schedule_ltxv,
        module=LTX,
    ),
)
