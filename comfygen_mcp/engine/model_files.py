"""The model files that the engine offers: names it was given, and real files below models/."""

from collections.abc import Mapping
from pathlib import Path

FOLDERS = (
    "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision",
    "style_models", "embeddings", "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models",
    "latent_upscale_models", "custom_nodes", "datasets", "hypernetworks", "photomaker", "classifiers",
    "model_patches", "audio_encoders", "background_removal", "frame_interpolation", "geometry_estimation",
    "optical_flow", "detection",
)  # fmt: skip
EXTENSIONS = {".bin", ".ckpt", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".sft", ".gguf"}


class ModelFiles:
    """Names per folder, read anew at each question so that new files show without a restart."""

    def __init__(self, folder: Path, offered: Mapping[str, tuple[str, ...]]) -> None:
        self._folder = folder
        self._offered = offered

    def folders(self) -> list[str]:
        return [*FOLDERS, *sorted(name for name in self._offered if name not in FOLDERS)]

    def names(self, folder: str) -> list[str]:
        return sorted({*self._offered.get(folder, ()), *self._on_disk(folder)})

    def _on_disk(self, folder: str) -> set[str]:
        base = self._folder / folder
        if not base.is_dir():
            return set()
        return {
            path.relative_to(base).as_posix()
            for path in base.rglob("*")
            if path.suffix.lower() in EXTENSIONS and path.is_file()
        }
