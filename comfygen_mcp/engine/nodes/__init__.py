"""The one registry of nodes: what /object_info lists is exactly what can be run."""

from comfygen_mcp.engine.nodes import (
    conditioning,
    custom_sampling,
    image,
    image_files,
    latent,
    loaders,
    models,
    plain,
    sampling,
)
from comfygen_mcp.engine.nodes.spec import Node
from comfygen_mcp.engine.options import Dialect

TOPICS = (loaders, conditioning, models, latent, sampling, custom_sampling, image_files, image, plain)
FLUX2 = {"EmptyFlux2LatentImage", "Flux2Scheduler"}


def registry(dialect: Dialect) -> dict[str, Node]:
    """Return class_type → node for the ComfyUI version spoken."""
    nodes = {node.name: node for topic in TOPICS for node in topic.NODES}
    return nodes if dialect.has_flux2 else {name: n for name, n in nodes.items() if name not in FLUX2}
