"""Which folder below `models/` an input of a loader chooses from."""

from collections.abc import Sequence

from comfygen_mcp.models import RequiredFile

_BY_CLASS = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("LatentUpscaleModelLoader", "model_name"): "latent_upscale_models",
    ("AudioEncoderLoader", "audio_encoder_name"): "audio_encoders",
    ("ModelPatchLoader", "name"): "model_patches",
}
_BY_INPUT = {
    "unet_name": "diffusion_models",
    "ckpt_name": "checkpoints",
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
OLDER_NAMES = {"diffusion_models": "unet", "text_encoders": "clip"}
"""What older servers call a folder."""


def folder_of(class_type: str, input_name: str) -> str | None:
    """Return the model folder of a loader's input; None when the input names no model file."""
    by_class = _BY_CLASS.get((class_type, input_name))
    return by_class or _BY_INPUT.get(input_name) or _BY_INPUT.get(input_name.rstrip("0123456789"))


def requirement(file: object, requires: Sequence[RequiredFile]) -> RequiredFile | None:
    """Return the entry of *requires* for *file*, which may be given with a subfolder of either slash."""
    wanted = str(file).replace("\\", "/").rpartition("/")[2]
    return next((entry for entry in requires if entry.file.rpartition("/")[2] == wanted), None)
