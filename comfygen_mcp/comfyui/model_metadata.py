"""What a model file says about itself: the `__metadata__` of its safetensors header."""

from collections.abc import Mapping
from urllib.parse import quote

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.shapes import mapping


async def ask_metadata(http: Http, folder: str, filename: str) -> Mapping[str, str]:
    """Return the metadata of `models/<folder>/<filename>`; empty when it has none or cannot be read.

    404 means no such file, no safetensors, or no metadata; 500 a file that is broken or empty.
    """
    path = f"/view_metadata/{quote(folder, safe='')}"
    response = await http.send("GET", path, params={"filename": filename})
    if response.status_code in {404, 500}:
        return {}
    reply = mapping(http.json_of(response))
    return {key: value for key, value in reply.items() if isinstance(value, str)}
