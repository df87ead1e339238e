"""Handing pictures, masks, videos and sounds to ComfyUI as inputs."""

import asyncio
from pathlib import Path, PurePosixPath

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.shapes import mapping, text
from comfygen_mcp.comfyui.unreachable import not_comfyui
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.errors import BadRequest


async def upload(http: Http, source: Path | bytes, name: str, *, subfolder: str, overwrite: bool) -> str:
    """Upload *source* and return the value for a LoadImage node.

    Without *overwrite* the server keeps other bytes of the same name and picks a new one: its answer counts.
    """
    data = source if isinstance(source, bytes) else await asyncio.to_thread(_read, source)
    form = {"type": "input", "subfolder": subfolder, "overwrite": "true" if overwrite else "false"}
    filename = PurePosixPath(name.replace("\\", "/")).name
    if not filename:
        raise BadRequest(f"{name!r} is no file name; give one such as 'input.png'.")
    files = {"image": (filename, data, "application/octet-stream")}
    response = await http.send("POST", "/upload/image", data=form, files=files)
    if response.status_code == 413:
        raise BadRequest(
            f"{filename!r} ({len(data)} bytes) is larger than the server takes: {first_line(response.text)} "
            "Make it smaller, or start ComfyUI with a larger --max-upload-size."
        )
    reply = mapping(http.json_of(response))
    stored = text(reply.get("name"))
    if stored is None:
        raise not_comfyui(http.host, "/upload/image does not name the stored file")
    folder = text(reply.get("subfolder"))
    return f"{folder}/{stored}" if folder else stored


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"{path.name!r} cannot be read: {error.strerror}. Give a readable file.") from error
