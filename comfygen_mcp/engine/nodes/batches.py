"""Nodes that look at batches of pictures and take parts of them; latents too."""

from dataclasses import replace

import numpy as np

from comfygen_mcp.engine.film import Film
from comfygen_mcp.engine.nodes.limits import check_pixels
from comfygen_mcp.engine.nodes.resizing import covering
from comfygen_mcp.engine.nodes.spec import Node, integer, link, slots
from comfygen_mcp.engine.task import NodeFailure, Task
from comfygen_mcp.engine.values import Frames, Latent, Pictures


def size(_: Task, *, image: Frames) -> tuple[int, int, int]:
    count, height, width = image.shape[:3]
    return width, height, count


def take(_: Task, *, image: Frames, batch_index: int, length: int) -> tuple[Frames]:
    start, length = _span(len(image), batch_index, length)
    return (image.part(start, length) if isinstance(image, Film) else image[start : start + length],)


def repeat(_: Task, *, image: Pictures, amount: int) -> tuple[Pictures]:
    count, height, width = image.shape[:3]
    check_pixels(width, height, count * amount)
    return (np.tile(image, (amount, 1, 1, 1)),)


def repeat_latent(_: Task, *, samples: Latent, amount: int) -> tuple[Latent]:
    check_pixels(samples.width, samples.height, samples.count * amount)
    settled = as_base(samples)
    return (replace(settled, count=settled.count * amount),)


def take_latent(_: Task, *, samples: Latent, batch_index: int, length: int) -> tuple[Latent]:
    start, length = _span(samples.count, batch_index, length)
    settled = as_base(samples)
    base = settled.base
    if base is not None:
        base = base[np.arange(start, start + length) % len(base)]
    return (replace(settled, base=base, count=length),)


def join_latents(_: Task, *, samples1: Latent, samples2: Latent) -> tuple[Latent]:
    from comfygen_mcp.engine.renderer import paint_latent

    count = samples1.count + samples2.count
    check_pixels(samples1.width, samples1.height, count)
    first, second = paint_latent(_still(samples1)), paint_latent(_still(samples2))
    second = covering(second, samples1.width, samples1.height, "bilinear")
    credit = samples1.author or samples2.author
    return (
        replace(samples1, count=count, base=np.concatenate([first, second]), paintings=(), credit=credit),
    )


def as_base(latent: Latent) -> Latent:
    """Return the latent with what its passes painted as pixels, so that its pictures can be told apart."""
    if not latent.paintings:
        return latent
    from comfygen_mcp.engine.renderer import paint_latent

    return replace(latent, base=paint_latent(_still(latent)), paintings=(), credit=latent.author)


def _still(latent: Latent) -> Latent:
    if latent.frames > 1:
        raise NodeFailure(
            "This preview engine takes batches of sampled videos apart only as pictures: "
            "decode the latent first.",
            "NotImplementedError",
        )
    return latent


def _span(count: int, index: int, length: int) -> tuple[int, int]:
    """Return start and length within *count*; a negative index counts from the end."""
    start = min(count - 1, max(0, index + count if index < 0 else index))
    return start, min(count - start, length)


IMAGES, IMAGE_BATCH, LATENT_BATCH = "comfy_extras.nodes_images", "image/batch", "model/latent/batch"
INDEX = integer(0, -16384, 16384)

NODES = (
    Node(
        "GetImageSize",
        "Get Image Size",
        "image",
        {"image": link("IMAGE")},
        slots("INT:width", "INT:height", "INT:batch_size"),
        size,
        module=IMAGES,
        hidden={"unique_id": ["UNIQUE_ID"]},
        streamed=frozenset({"image"}),
    ),
    Node(
        "ImageFromBatch",
        "ImageFromBatch",
        IMAGE_BATCH,
        {"image": link("IMAGE"), "batch_index": INDEX, "length": integer(1, 1, 4096)},
        slots("IMAGE"),
        take,
        module=IMAGES,
        streamed=frozenset({"image"}),
    ),
    Node(
        "RepeatImageBatch",
        "RepeatImageBatch",
        IMAGE_BATCH,
        {"image": link("IMAGE"), "amount": integer(1, 1, 4096)},
        slots("IMAGE"),
        repeat,
        module=IMAGES,
    ),
    Node(
        "RepeatLatentBatch",
        "Repeat Latent Batch",
        LATENT_BATCH,
        {"samples": link("LATENT"), "amount": integer(1, 1, 64)},
        slots("LATENT"),
        repeat_latent,
    ),
    Node(
        "LatentFromBatch",
        "Latent From Batch",
        LATENT_BATCH,
        {"samples": link("LATENT"), "batch_index": INDEX, "length": integer(1, 1, 64)},
        slots("LATENT"),
        take_latent,
    ),
    Node(
        "LatentBatch",
        "LatentBatch",
        LATENT_BATCH,
        {"samples1": link("LATENT"), "samples2": link("LATENT")},
        slots("LATENT"),
        join_latents,
        module="comfy_extras.nodes_latent",
        deprecated=True,
    ),
)
