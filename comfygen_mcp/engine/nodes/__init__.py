"""The one registry of nodes: what /object_info lists is exactly what can be run."""

from comfygen_mcp.engine.nodes import (
    animated,
    audio,
    batches,
    compositing,
    conditioning,
    custom_sampling,
    edit,
    filters,
    image,
    image_files,
    inpaint,
    latent,
    loaders,
    masks,
    models,
    plain,
    sampling,
    upscaling,
    video,
    video_latents,
)
from comfygen_mcp.engine.nodes.spec import Node
from comfygen_mcp.engine.options import Dialect

TOPICS = (
    loaders, conditioning, models, latent, sampling, custom_sampling, image_files, image, upscaling,
    compositing, filters, batches, masks, inpaint, edit, video_latents, video, animated, audio, plain,
)  # fmt: skip
NOT_YET = {"EmptyFlux2LatentImage", "Flux2Scheduler", "SaveAudioAdvanced", "SaveText"}
"""What 0.3.64 did not have."""


def registry(dialect: Dialect) -> dict[str, Node]:
    """Return class_type → node for the ComfyUI version spoken."""
    nodes = {node.name: node for topic in TOPICS for node in topic.NODES}
    if dialect.old:
        nodes = {name: node for name, node in nodes.items() if name not in NOT_YET}
    return {**nodes, **{node.name: node for node in video.old_nodes(dialect)}}
