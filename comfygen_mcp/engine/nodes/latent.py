"""Latent nodes: empty ones, scaling, encoding and decoding."""

from dataclasses import replace

from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.spec import Input, Node, choice, integer, link, number, slots
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Frames, Latent, Pictures, Vae

CELL = 8
"""A latent cell is eight pixels wide, so sizes are rounded down to multiples of eight, silently."""
METHODS = ("nearest-exact", "bilinear", "area", "bicubic", "bislerp")


def empty(_: Task, *, width: int, height: int, batch_size: int = 1) -> tuple[Latent]:
    check_pixels(width, height, batch_size)
    return (Latent(_whole(width), _whole(height), batch_size),)


def empty_flux2(_: Task, *, width: int, height: int, batch_size: int = 1) -> tuple[Latent]:
    check_pixels(width, height, batch_size)
    return (Latent(_whole(width, 16), _whole(height, 16), batch_size),)


def decode(_: Task, *, samples: Latent, vae: Vae, **__: int) -> tuple[Frames]:
    from comfygen_mcp.engine.renderer import decode_latent, decode_video

    del vae
    if samples.frames > 1:
        return (decode_video(samples),)
    check_pixels(samples.width, samples.height, samples.count)
    return (decode_latent(samples),)


def encode(_: Task, *, pixels: Pictures, vae: Vae, **__: int) -> tuple[Latent]:
    del vae
    count, height, width = pixels.shape[:3]
    whole_height, whole_width = _whole(height), _whole(width)
    top, left = (height - whole_height) // 2, (width - whole_width) // 2
    cropped = pixels[:, top : top + whole_height, left : left + whole_width, :3]
    return (Latent(whole_width, whole_height, count, base=cropped),)


def upscale(
    _: Task, *, samples: Latent, upscale_method: str, width: int, height: int, crop: str
) -> tuple[Latent]:
    del upscale_method, crop
    if width == 0 and height == 0:
        return (samples,)
    width = width or round(samples.width * height / samples.height)
    height = height or round(samples.height * width / samples.width)
    check_pixels(width, height, samples.count)
    return (replace(samples, width=max(64, _whole(width)), height=max(64, _whole(height))),)


def upscale_by(_: Task, *, samples: Latent, upscale_method: str, scale_by: float) -> tuple[Latent]:
    del upscale_method
    width, height = round(samples.width * scale_by), round(samples.height * scale_by)
    check_pixels(width, height, samples.count)
    return (replace(samples, width=_whole(width), height=_whole(height)),)


def _whole(pixels: int, cell: int = CELL) -> int:
    return max(cell, pixels // cell * cell)


def _side(default: int, step: int, *, axis: str | None = None) -> Input:
    tooltip = f"The {axis} of the latent images in pixels." if axis else None
    return integer(default, 16, 16384, step=step, tooltip=tooltip)


def _sides(default: int, step: int, batch: Input) -> dict[str, Input]:
    return {"width": _side(default, step), "height": _side(default, step), "batch_size": batch}


def _tiles(step: int) -> dict[str, Input]:
    return {
        "tile_size": integer(512, 64, 4096, step=step),
        "overlap": integer(64, 0, 4096, step=32),
        "temporal_size": integer(64, 8, 4096, step=4),
        "temporal_overlap": integer(8, 4, 4096, step=4),
    }


BATCH = integer(1, 1, 4096)

NODES = (
    Node(
        "EmptyLatentImage",
        "Empty Latent Image",
        "model/latent",
        {
            "width": _side(512, 8, axis="width"),
            "height": _side(512, 8, axis="height"),
            "batch_size": integer(1, 1, 4096, tooltip="The number of latent images in the batch."),
        },
        slots("LATENT"),
        empty,
    ),
    Node(
        "EmptySD3LatentImage",
        "EmptySD3LatentImage",
        "model/latent/stable diffusion",
        _sides(1024, 16, BATCH),
        slots("LATENT"),
        empty,
        module="comfy_extras.nodes_sd3",
    ),
    Node(
        "EmptyHunyuanImageLatent",
        "EmptyHunyuanImageLatent",
        "model/latent/hunyuan image",
        {
            "width": integer(2048, 64, 16384, step=32),
            "height": integer(2048, 64, 16384, step=32),
            "batch_size": BATCH,
        },
        slots("LATENT"),
        empty,
        module="comfy_extras.nodes_hunyuan",
    ),
    Node(
        "EmptyChromaRadianceLatentImage",
        "EmptyChromaRadianceLatentImage",
        "model/latent/chroma radiance",
        _sides(1024, 16, BATCH),
        slots("LATENT"),
        empty,
        module="comfy_extras.nodes_chroma_radiance",
    ),
    Node(
        "EmptyFlux2LatentImage",
        "Empty Flux 2 Latent",
        "model/latent/flux",
        _sides(1024, 16, BATCH),
        slots("LATENT"),
        empty_flux2,
        module="comfy_extras.nodes_flux",
    ),
    Node(
        "VAEDecode",
        "VAE Decode",
        "model/latent",
        {
            "samples": link("LATENT", "The latent to be decoded."),
            "vae": link("VAE", "The VAE model used for decoding the latent."),
        },
        slots("IMAGE"),
        decode,
    ),
    Node(
        "VAEEncode",
        "VAE Encode",
        "model/latent",
        {"pixels": link("IMAGE"), "vae": link("VAE")},
        slots("LATENT"),
        encode,
    ),
    Node(
        "VAEDecodeTiled",
        "VAE Decode (Tiled)",
        "model/latent",
        {"samples": link("LATENT"), "vae": link("VAE"), **_tiles(32)},
        slots("IMAGE"),
        decode,
    ),
    Node(
        "VAEEncodeTiled",
        "VAE Encode (Tiled)",
        "model/latent",
        {"pixels": link("IMAGE"), "vae": link("VAE"), **_tiles(64)},
        slots("LATENT"),
        encode,
    ),
    Node(
        "LatentUpscale",
        "Upscale Latent",
        "model/latent",
        {
            "samples": link("LATENT"),
            "upscale_method": choice(*METHODS),
            "width": integer(512, 0, 16384, step=8),
            "height": integer(512, 0, 16384, step=8),
            "crop": choice("disabled", "center"),
        },
        slots("LATENT"),
        upscale,
    ),
    Node(
        "LatentUpscaleBy",
        "Upscale Latent By",
        "model/latent",
        {
            "samples": link("LATENT"),
            "upscale_method": choice(*METHODS),
            "scale_by": number(1.5, 0.01, 8.0, step=0.01),
        },
        slots("LATENT"),
        upscale_by,
    ),
)
