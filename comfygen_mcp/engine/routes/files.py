"""/view: files of the data folder, whole, in part, or re-encoded."""

import asyncio
import io
import mimetypes
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from comfygen_mcp.engine.folders import KINDS, Folders, OutsideFolder, split_annotation
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.replies import Trouble, empty
from comfygen_mcp.engine.routes.door import engine_of

if TYPE_CHECKING:
    from PIL import Image

ACTIVE_TYPES = {
    "text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "application/javascript",
    "text/css", "image/svg+xml", "text/xml", "application/xml",
}  # fmt: skip
DEFAULT_QUALITY = 90


async def get_view(request: Request) -> Response:
    engine = engine_of(request)
    found = _find(engine.folders, request.query_params)
    if isinstance(found, int):
        return empty(found)
    query = request.query_params
    if "preview" in query or query.get("channel") in {"rgb", "a"}:
        return await asyncio.to_thread(_reencoded, found, query)
    return _whole(request, found, engine.dialect)


def _find(folders: Folders, query: QueryParams) -> Path | int:
    """Return the file asked for, or the status that says why there is none."""
    if "filename" not in query:
        return 404
    name, annotated = split_annotation(query["filename"])
    kind = annotated or query.get("type", "output")
    if not name or name.startswith("/") or ".." in name or kind not in KINDS:
        return 400
    try:
        folders.inside(kind, query.get("subfolder", ""))
    except OutsideFolder:
        return 403
    try:
        path = folders.inside(kind, query.get("subfolder", ""), PurePosixPath(name).name)
    except OutsideFolder:
        return 404
    return path if path.is_file() else 404


def _whole(request: Request, path: Path, dialect: Dialect) -> Response:
    stat = path.stat()
    etag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"etag": etag, "x-content-type-options": "nosniff"}
    disposition = "filename"
    if kind in ACTIVE_TYPES:
        kind = "application/octet-stream"
        if not dialect.old:
            disposition = "attachment; filename"
            headers.update({"vary": "Sec-Fetch-Dest", "cache-control": "no-store"})
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return _named(FileResponse(path, headers=headers, media_type=kind, stat_result=stat), path, disposition)


def _reencoded(path: Path, query: QueryParams) -> Response:
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            body, kind = _preview(image, query) if "preview" in query else _channel(image, query["channel"])
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Trouble from error
    return _named(Response(body, media_type=kind), path, "filename")


def _preview(image: "Image.Image", query: QueryParams) -> tuple[bytes, str]:
    parts = query["preview"].split(";")
    channel = query.get("channel", "")
    form = parts[0] if parts[0] in {"webp", "jpeg"} and "a" not in channel else "webp"
    quality = int(parts[-1]) if parts[-1].isdecimal() else DEFAULT_QUALITY
    if form == "jpeg" or channel == "rgb":
        image = image.convert("RGB")
    return _encoded(image, form, quality=quality), f"image/{form}"


def _channel(image: "Image.Image", channel: str) -> tuple[bytes, str]:
    from PIL import Image

    if channel == "rgb":
        return _encoded(image.convert("RGB"), "png"), "image/png"
    alpha = Image.new("RGBA", image.size)
    alpha.putalpha(image.convert("RGBA").getchannel("A"))
    return _encoded(alpha, "png"), "image/png"


def _encoded(image: "Image.Image", form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _named(response: Response, path: Path, disposition: str) -> Response:
    # Raw bytes, because aiohttp sends names in UTF-8 and Starlette's headers are Latin-1.
    name = "".join(c for c in path.name if c.isprintable() and c != '"')
    value = f'{disposition}="{name}"'.encode()
    response.raw_headers.append((b"content-disposition", value))
    return response
