"""Which model files a graph loads, and the folder below `models/` that each belongs to."""

from collections.abc import Iterable, Mapping, Sequence

from comfygen_mcp.models import Graph, RequiredFile

_FOLDER_OF_INPUT: Mapping[str, str] = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "lora_name": "loras",
    "vae_name": "vae",
    "clip_name": "text_encoders",
    "control_net_name": "controlnet",
    "model_name": "upscale_models",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "hypernetwork_name": "hypernetworks",
    "config_name": "configs",
}
"""Loader inputs of ComfyUI's core nodes → today's folder names; `clip_name2` counts as `clip_name`."""
_FOLDER_OF_LOADER: Mapping[tuple[str, str], str] = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("LatentUpscaleModelLoader", "model_name"): "latent_upscale_models",
    ("AudioEncoderLoader", "audio_encoder_name"): "audio_encoders",
    ("ModelPatchLoader", "name"): "model_patches",
}
"""Loaders whose input has another's name."""

OLD_FOLDER_NAMES: Mapping[str, str] = {"diffusion_models": "unet", "text_encoders": "clip"}
"""What older servers call a folder."""


def folder_of(class_type: str, input_name: str) -> str | None:
    """Return the model folder of a loader's input; None when the input names no model file."""
    of_loader = _FOLDER_OF_LOADER.get((class_type, input_name))
    return of_loader or _FOLDER_OF_INPUT.get(input_name.rstrip("0123456789"))


def requirement(
    file: object, requires: Sequence[RequiredFile], *, folder: str | None = None
) -> RequiredFile | None:
    """Return the entry of *requires* for *file*, which may be given with a subfolder of either slash.

    Of several entries with that name the one of the same subfolder, then the one of *folder*, is meant.
    """
    wanted = str(file).replace("\\", "/")
    named = [entry for entry in requires if _last(entry.file) == _last(wanted)]
    return max(named, key=lambda entry: (entry.file == wanted, entry.folder == folder), default=None)


def files_of(graph: Graph, known: Iterable[RequiredFile] = ()) -> tuple[RequiredFile, ...]:
    """Return the files that *graph* loads, in node order, each once, with what *known* tells about them.

    A file that *known* names belongs to the folder that is said there, whatever loads it.
    """
    requires = tuple(known)
    found: dict[tuple[str, str], RequiredFile] = {}
    for node in graph.values():
        for name, value in node["inputs"].items():
            folder = folder_of(node["class_type"], name)
            if folder is not None and isinstance(value, str):
                file = _file(value, folder, requires)
                found.setdefault((file.folder, file.file), file)
    return tuple(found.values())


def _file(value: str, folder: str, requires: Sequence[RequiredFile]) -> RequiredFile:
    entry = requirement(value, requires, folder=folder)
    return entry.model_copy(update={"file": value}) if entry else RequiredFile(file=value, folder=folder)


def _last(path: str) -> str:
    return path.rpartition("/")[2]
