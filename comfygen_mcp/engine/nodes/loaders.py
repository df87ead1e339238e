"""Loader nodes: a model file becomes its name, which is all that the preview renderer needs of it."""

from comfygen_mcp.engine.nodes.spec import Node, choice, files, link, number, slots
from comfygen_mcp.engine.task import NodeFailure, Task
from comfygen_mcp.engine.values import Clip, ClipVision, Model, Vae

CATEGORY = "model/loaders"
SMALLEST_HEADER = 8
CLIP_TYPES = (
    "stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos",
    "lumina2", "wan", "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image", "flux2", "ovis",
    "longcat_image", "cogvideox", "lens", "pixeldit", "ideogram4", "boogu", "krea2", "joyimage", "mage",
    "minimax",
)  # fmt: skip
DUAL_CLIP_TYPES = (
    "sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image", "hunyuan_video_15", "kandinsky5",
    "kandinsky5_image", "ltxv", "newbie", "ace",
)  # fmt: skip


def load_checkpoint(task: Task, *, ckpt_name: str) -> tuple[Model, Clip, Vae]:
    _check_header(task, "checkpoints", ckpt_name)
    return Model(ckpt_name), Clip(ckpt_name), Vae(ckpt_name)


def load_image_checkpoint(task: Task, *, ckpt_name: str) -> tuple[Model, ClipVision, Vae]:
    _check_header(task, "checkpoints", ckpt_name)
    return Model(ckpt_name), ClipVision(ckpt_name), Vae(ckpt_name)


def load_clip_vision(_: Task, *, clip_name: str) -> tuple[ClipVision]:
    return (ClipVision(clip_name),)


def load_unet(task: Task, *, unet_name: str, weight_dtype: str) -> tuple[Model]:
    del weight_dtype
    _check_header(task, "diffusion_models", unet_name)
    return (Model(unet_name),)


def load_clip(_: Task, *, clip_name: str, **__: str) -> tuple[Clip]:
    return (Clip(clip_name),)


def load_two_clips(_: Task, *, clip_name1: str, clip_name2: str, **__: str) -> tuple[Clip]:
    return (Clip(f"{clip_name1}+{clip_name2}"),)


def load_three_clips(_: Task, *, clip_name1: str, clip_name2: str, clip_name3: str) -> tuple[Clip]:
    return (Clip(f"{clip_name1}+{clip_name2}+{clip_name3}"),)


def load_vae(_: Task, *, vae_name: str) -> tuple[Vae]:
    return (Vae(vae_name),)


def apply_lora(
    task: Task, *, model: Model, clip: Clip, lora_name: str, strength_model: float, strength_clip: float
) -> tuple[Model, Clip]:
    if strength_model or strength_clip:
        _check_header(task, "loras", lora_name)
    return model.with_lora(lora_name, strength_model), clip.with_lora(lora_name, strength_clip)


def apply_lora_to_model(task: Task, *, model: Model, lora_name: str, strength_model: float) -> tuple[Model]:
    if strength_model:
        _check_header(task, "loras", lora_name)
    return (model.with_lora(lora_name, strength_model),)


def _check_header(task: Task, folder: str, name: str) -> None:
    """Refuse a file that is there but cannot be a model; most names here have no file at all."""
    path = task.folders.root / "models" / folder / name
    if path.is_file() and path.stat().st_size < SMALLEST_HEADER:
        message = "Error while deserializing header: header too small"
        raise NodeFailure(message, "safetensors._safetensors_rust.SafetensorError")


STRENGTH_MODEL = number(
    1.0, -100.0, 100.0, step=0.01,
    tooltip="How strongly to modify the diffusion model. This value can be negative.",
)  # fmt: skip
STRENGTH_CLIP = number(
    1.0, -100.0, 100.0, step=0.01,
    tooltip="How strongly to modify the CLIP model. This value can be negative.",
)  # fmt: skip
LORA_FILE = files("loras", tooltip="The name of the LoRA.")
LORA_MODEL = link("MODEL", "The diffusion model the LoRA will be applied to.")
LORA_CLIP = link("CLIP", "The CLIP model the LoRA will be applied to.")
DEVICE = choice("default", "cpu", optional=True)

NODES = (
    Node(
        "CheckpointLoaderSimple",
        "Load Checkpoint",
        CATEGORY,
        {"ckpt_name": files("checkpoints", tooltip="The name of the checkpoint (model) to load.")},
        slots("MODEL", "CLIP", "VAE"),
        load_checkpoint,
    ),
    Node(
        "ImageOnlyCheckpointLoader",
        "Image Only Checkpoint Loader (img2vid model)",
        CATEGORY,
        {"ckpt_name": files("checkpoints")},
        slots("MODEL", "CLIP_VISION", "VAE"),
        load_image_checkpoint,
        module="comfy_extras.nodes_video_model",
    ),
    Node(
        "CLIPVisionLoader",
        "Load CLIP Vision",
        CATEGORY,
        {"clip_name": files("clip_vision")},
        slots("CLIP_VISION"),
        load_clip_vision,
    ),
    Node(
        "UNETLoader",
        "Load Diffusion Model",
        CATEGORY,
        {
            "unet_name": files("diffusion_models"),
            "weight_dtype": choice("default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"),
        },
        slots("MODEL"),
        load_unet,
    ),
    Node(
        "CLIPLoader",
        "Load CLIP",
        CATEGORY,
        {"clip_name": files("text_encoders"), "type": choice(*CLIP_TYPES), "device": DEVICE},
        slots("CLIP"),
        load_clip,
    ),
    Node(
        "DualCLIPLoader",
        "DualCLIPLoader",
        CATEGORY,
        {
            "clip_name1": files("text_encoders"),
            "clip_name2": files("text_encoders"),
            "type": choice(*DUAL_CLIP_TYPES),
            "device": DEVICE,
        },
        slots("CLIP"),
        load_two_clips,
    ),
    Node(
        "TripleCLIPLoader",
        "TripleCLIPLoader",
        CATEGORY,
        {f"clip_name{number_}": files("text_encoders", form="v3") for number_ in (1, 2, 3)},
        slots("CLIP"),
        load_three_clips,
        module="comfy_extras.nodes_sd3",
    ),
    Node(
        "VAELoader", "Load VAE", CATEGORY, {"vae_name": files("vae", "pixel_space")}, slots("VAE"), load_vae
    ),
    Node(
        "LoraLoader",
        "Load LoRA (Model and CLIP)",
        CATEGORY,
        {
            "model": LORA_MODEL,
            "clip": LORA_CLIP,
            "lora_name": LORA_FILE,
            "strength_model": STRENGTH_MODEL,
            "strength_clip": STRENGTH_CLIP,
        },
        slots("MODEL", "CLIP"),
        apply_lora,
    ),
    Node(
        "LoraLoaderModelOnly",
        "Load LoRA",
        CATEGORY,
        {"model": LORA_MODEL, "lora_name": LORA_FILE, "strength_model": STRENGTH_MODEL},
        slots("MODEL"),
        apply_lora_to_model,
    ),
)
