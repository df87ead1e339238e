"""Inpainting nodes: latents that may be painted only where a mask says so."""

from dataclasses import replace

import numpy as np

from comfygen_mcp.engine.nodes.latent import encode
from comfygen_mcp.engine.nodes.masks import grown
from comfygen_mcp.engine.nodes.resizing import resized_masks
from comfygen_mcp.engine.nodes.spec import Node, integer, link, slots, switch
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Conditioning, Latent, Masks, Pictures, Vae

GREY = 128


def set_mask(_: Task, *, samples: Latent, mask: Masks) -> tuple[Latent]:
    return (replace(samples, mask=mask),)


def encode_for_inpaint(
    task: Task, *, pixels: Pictures, vae: Vae, mask: Masks, grow_mask_by: int = 6
) -> tuple[Latent]:
    """Encode what is not to be repainted; the rest becomes grey, as this node wants a denoise of 1."""
    fitted = resized_masks(mask, pixels.shape[2], pixels.shape[1])
    hidden = np.where((fitted > 0.5)[..., None], np.uint8(GREY), pixels)
    (latent,) = encode(task, pixels=hidden, vae=vae)
    wider = grown(fitted, grow_mask_by // 2, square=True, check=task.check_interrupt)
    return (replace(latent, mask=_cropped(wider.round(), latent)),)


def condition(  # noqa: PLR0913 - the node has that many inputs
    task: Task,
    *,
    positive: Conditioning,
    negative: Conditioning,
    vae: Vae,
    pixels: Pictures,
    mask: Masks,
    noise_mask: bool = True,
) -> tuple[Conditioning, Conditioning, Latent]:
    """Give the picture and mask to an inpainting model, which repaints there with or without *noise_mask*."""
    del noise_mask
    (latent,) = encode(task, pixels=pixels, vae=vae)
    fitted = resized_masks(mask, pixels.shape[2], pixels.shape[1])
    return positive, negative, replace(latent, mask=_cropped(fitted, latent))


def _cropped(mask: Masks, latent: Latent) -> Masks:
    """Cut the mask as the picture was cut, to whole latent cells around the middle."""
    top, left = (mask.shape[1] - latent.height) // 2, (mask.shape[2] - latent.width) // 2
    return mask[:, top : top + latent.height, left : left + latent.width]


NODES = (
    Node(
        "SetLatentNoiseMask",
        "Set Latent Noise Mask",
        "model/latent",
        {"samples": link("LATENT"), "mask": link("MASK")},
        slots("LATENT"),
        set_mask,
    ),
    Node(
        "VAEEncodeForInpaint",
        "VAE Encode (for Inpainting)",
        "model/latent",
        {
            "pixels": link("IMAGE"),
            "vae": link("VAE"),
            "mask": link("MASK"),
            "grow_mask_by": integer(6, 0, 64, step=1),
        },
        slots("LATENT"),
        encode_for_inpaint,
    ),
    Node(
        "InpaintModelConditioning",
        "InpaintModelConditioning",
        "model/conditioning",
        {
            "positive": link("CONDITIONING"),
            "negative": link("CONDITIONING"),
            "vae": link("VAE"),
            "pixels": link("IMAGE"),
            "mask": link("MASK"),
            "noise_mask": switch(default=True),
        },
        slots("CONDITIONING:positive", "CONDITIONING:negative", "LATENT:latent"),
        condition,
    ),
)
