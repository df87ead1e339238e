"""/view_metadata: what the safetensors file of a model says about itself."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.folders import Folders, OutsideFolder
from comfygen_mcp.engine.replies import empty, json_reply, malformed_is_trouble
from comfygen_mcp.engine.routes.door import engine_of

MAX_HEADER_BYTES = 1024 * 1024
"""ComfyUI reads no larger header."""


async def get_view_metadata(request: Request) -> Response:
    name = request.query_params.get("filename", "")
    path = _find(engine_of(request).folders, request.path_params["folder"], name)
    metadata = await asyncio.to_thread(_metadata, path) if path else None
    return empty(404) if metadata is None else json_reply(metadata)


def _find(folders: Folders, folder: str, name: str) -> Path | None:
    """Return a real file below models/: names that an engine only offers have none."""
    try:
        path = folders.inside("models", folder, name)
    except OutsideFolder:
        return None
    return path if path.suffix == ".safetensors" and path.is_file() else None


def _metadata(path: Path) -> Any:
    """Return the metadata, or None without any; a file that is no safetensors is Trouble, as in ComfyUI."""
    with path.open("rb") as file, malformed_is_trouble():
        try:
            (length,) = struct.unpack("<Q", file.read(8))
        except struct.error as error:
            raise ValueError from error
        if length > MAX_HEADER_BYTES:
            return None
        return json.loads(file.read(length)).get("__metadata__")
