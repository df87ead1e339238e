"""What is installed: model files, nodes, the system and its features."""

import platform
import sys
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.nodes.spec import Node
from comfygen_mcp.engine.options import ENGINE_VERSION, MAX_BODY_BYTES, Dialect
from comfygen_mcp.engine.replies import empty, json_reply
from comfygen_mcp.engine.routes.door import engine_of, listing_of


async def get_folders(request: Request) -> Response:
    return json_reply(engine_of(request).models.folders())


async def get_models(request: Request) -> Response:
    models = engine_of(request).models
    folder = request.path_params["folder"]
    return json_reply(models.names(folder)) if folder in models.folders() else empty(404)


async def get_embeddings(request: Request) -> Response:
    names = engine_of(request).models.names("embeddings")
    return json_reply([str(PurePosixPath(name).with_suffix("")) for name in names])


async def get_object_info(request: Request) -> Response:
    engine = engine_of(request)
    wanted = request.path_params.get("class_type")
    listing = partial(listing_of, engine)

    def wire(node: Node) -> dict[str, Any]:
        hide = node.output_node and not engine.dialect.save_nodes_have_outputs and "images" in node.inputs
        return node.wire(listing, hide_outputs=hide)

    nodes = engine.nodes
    return json_reply({name: wire(node) for name, node in nodes.items() if wanted in {None, name}})


async def get_features(request: Request) -> Response:
    return json_reply(features(engine_of(request).dialect))


def features(dialect: Dialect) -> dict[str, Any]:
    """Return what the server says of itself, here and in the handshake of the WebSocket."""
    if dialect.old:
        return {"supports_preview_metadata": True, "max_upload_size": MAX_BODY_BYTES}
    return {
        "supports_preview_metadata": True,
        "supports_model_type_tags": True,
        "max_upload_size": MAX_BODY_BYTES,
        "extension": {"manager": {"supports_v4": True}},
        "node_replacements": False,
        "assets": False,
    }


async def get_system_stats(request: Request) -> Response:
    options = engine_of(request).options
    system: dict[str, Any] = {
        "os": "posix" if options.dialect.old else sys.platform,
        "ram_total": 0,
        "ram_free": 0,
        "comfyui_version": options.comfyui_version,
        "comfygen_engine": {"version": ENGINE_VERSION, "renderer": "procedural"},
        "required_frontend_version": None,
        "installed_templates_version": None,
        "python_version": platform.python_version(),
        "pytorch_version": None,
        "embedded_python": False,
        "argv": [],
    }
    device = {
        "name": "procedural (no model)",
        "type": "cpu",
        "index": None,
        "vram_total": 0,
        "vram_free": 0,
        "torch_vram_total": 0,
        "torch_vram_free": 0,
    }
    return json_reply({"system": system, "devices": [device]})
