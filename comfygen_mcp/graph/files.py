"""Which model files a graph loads, and the folder below `models/` that each belongs to."""

from collections.abc import Iterable, Mapping

from comfygen_mcp.models import Graph, RequiredFile

FOLDER_OF_INPUT: Mapping[str, str] = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "lora_name": "loras",
    "vae_name": "vae",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "control_net_name": "controlnet",
    "model_name": "upscale_models",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
}
"""Loader inputs of ComfyUI's core nodes → today's folder names."""

OLD_FOLDER_NAMES: Mapping[str, str] = {"diffusion_models": "unet", "text_encoders": "clip"}
"""What older servers call a folder."""


def files_of(graph: Graph, known: Iterable[RequiredFile] = ()) -> tuple[RequiredFile, ...]:
    """Return the files that *graph* loads, in node order, each once, with what *known* tells about them."""
    details = {(entry.folder, entry.file): entry for entry in known}
    found: dict[tuple[str, str], RequiredFile] = {}
    for node in graph.values():
        for name, value in node["inputs"].items():
            folder = FOLDER_OF_INPUT.get(name)
            if folder is not None and isinstance(value, str):
                key = (folder, value)
                found.setdefault(key, details.get(key) or RequiredFile(file=value, folder=folder))
    return tuple(found.values())
