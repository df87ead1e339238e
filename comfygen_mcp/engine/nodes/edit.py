"""Edit nodes: an instruction, and the pictures that it is about."""

from dataclasses import replace
from typing import Any

from comfygen_mcp.engine.nodes.batches import as_base
from comfygen_mcp.engine.nodes.spec import Node, choice, link, maybe, slots, text
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Clip, Conditioning, Latent, Pictures


def encode(
    _: Task, *, clip: Clip, prompt: str, image: Pictures | None = None, **__: Any
) -> tuple[Conditioning]:
    return (_about(prompt, clip, image),)


def encode_many(
    _: Task,
    *,
    clip: Clip,
    prompt: str,
    image1: Pictures | None = None,
    image2: Pictures | None = None,
    image3: Pictures | None = None,
    **__: Any,
) -> tuple[Conditioning]:
    return (_about(prompt, clip, image1, image2, image3),)


def refer(_: Task, *, conditioning: Conditioning, latent: Latent | None = None) -> tuple[Conditioning]:
    base = None if latent is None else as_base(latent).base
    if base is None:
        return (conditioning,)
    return (replace(conditioning, references=(*conditioning.references, base)),)


def keep(_: Task, *, conditioning: Conditioning, **__: str) -> tuple[Conditioning]:
    return (conditioning,)


def _about(prompt: str, clip: Clip, *images: Pictures | None) -> Conditioning:
    given = tuple(image for image in images if image is not None)
    return Conditioning(prompt, loras=clip.loras, references=given)


QWEN, QWEN_MODULE = "model/conditioning/qwen image", "comfy_extras.nodes_qwen"
WORDS = {"clip": link("CLIP"), "prompt": text(multiline=True), "vae": maybe(link("VAE"))}
IMAGE = maybe(link("IMAGE"))

NODES = (
    Node(
        "TextEncodeQwenImageEdit",
        "TextEncodeQwenImageEdit",
        QWEN,
        {**WORDS, "image": IMAGE},
        slots("CONDITIONING"),
        encode,
        module=QWEN_MODULE,
    ),
    Node(
        "TextEncodeQwenImageEditPlus",
        "TextEncodeQwenImageEditPlus",
        QWEN,
        {**WORDS, "image1": IMAGE, "image2": IMAGE, "image3": IMAGE},
        slots("CONDITIONING"),
        encode_many,
        module=QWEN_MODULE,
    ),
    Node(
        "ReferenceLatent",
        "ReferenceLatent",
        "model/conditioning",
        {"conditioning": link("CONDITIONING"), "latent": maybe(link("LATENT"))},
        slots("CONDITIONING"),
        refer,
        description="This node sets the guiding latent for an edit model. If the model supports it you can "
        "chain multiple to set multiple reference images.",
        module="comfy_extras.nodes_edit_model",
    ),
    Node(
        "FluxKontextMultiReferenceLatentMethod",
        "Edit Model Reference Method",
        "model/conditioning/flux",
        {
            "conditioning": link("CONDITIONING"),
            "reference_latents_method": choice(
                "offset", "index", "uxo/uno", "index_timestep_zero", form="v3"
            ),
        },
        slots("CONDITIONING"),
        keep,
        module="comfy_extras.nodes_flux",
        experimental=True,
    ),
)
