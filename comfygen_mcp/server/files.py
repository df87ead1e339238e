"""`/files/…`: hands out stored files to whoever holds a signed link, whole or in part."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comfygen_mcp.errors import BadRequest, ComfygenError, StoreFailed
from comfygen_mcp.server.links import FileLinks
from comfygen_mcp.server.ranges import Span, Unsatisfiable, wanted_span
from comfygen_mcp.server.refusal import refused
from comfygen_mcp.server.shared import SharedApp
from comfygen_mcp.stores.base import Store, StoredFile

if TYPE_CHECKING:
    from comfygen_mcp.app import App

CHUNK = 1 << 18
_GONE = "This file is no longer in the store."
SEND_S = 60.0
"""How long a reader may take to accept one chunk."""
SHOWN_IN_PLACE = {
    *(f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif", "avif", "bmp")),
    *(f"video/{kind}" for kind in ("mp4", "webm", "quicktime")),
    *(f"audio/{kind}" for kind in ("mpeg", "mp4", "flac", "ogg", "wav", "x-wav")),
    "text/plain",
}
"""Types that cannot run anything in a browser; all others (HTML, SVG …) are downloads."""


class Files:
    """The endpoint; *on_failure* is told when the store does not answer."""

    def __init__(
        self, shared: SharedApp, links: FileLinks, on_failure: Callable[[], None] = lambda: None
    ) -> None:
        self._shared = shared
        self._links = links
        self._on_failure = on_failure

    async def __call__(self, request: Request) -> Response:
        key = request.path_params["key"]
        query = request.query_params
        remaining_s = self._links.remaining_s(key, query.get("e", ""), query.get("s", ""))
        if not remaining_s:
            return refused(403, "This link is not valid or has expired. get_generation gives a new one.")
        try:
            return await _found(request, await self._shared(), key, remaining_s)
        except FileNotFoundError:
            return refused(404, _GONE)
        except StoreFailed:
            self._on_failure()
            return refused(503, "The store does not answer. Try again later.")
        except ComfygenError:
            return refused(503, "The server is not ready. Its /ready page says why.")


async def _found(request: Request, app: "App", key: str, remaining_s: int) -> Response:
    from comfygen_mcp.services.handed_on import copy_to_hand_on

    try:
        file = await app.store.stat(key)
    except BadRequest:
        file = None
    if file is None:
        return refused(404, _GONE)
    try:
        path = await copy_to_hand_on(app.store, file, app.settings)
    except BadRequest as reason:
        return refused(403, str(reason))
    if path is None:
        return await _answer(request, app.store, file, app.store.local_path(key), remaining_s)
    file = file.model_copy(update={"size_bytes": (await anyio.Path(path).stat()).st_size})
    return await _answer(request, app.store, file, path, remaining_s)


async def _answer(
    request: Request, store: Store, file: StoredFile, path: Path | None, remaining_s: int
) -> Response:
    headers = _headers(file, remaining_s)
    if headers["ETag"] in _tags(request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    try:
        span = wanted_span(_range_header(request, headers["ETag"]), file.size_bytes)
    except Unsatisfiable:
        return refused(416, "The file is shorter.", {"Content-Range": f"bytes */{file.size_bytes}"})
    part = span or Span(0, file.size_bytes - 1, file.size_bytes)
    headers |= {"Content-Length": str(part.length), "Content-Type": file.mime}
    if span:
        headers["Content-Range"] = span.content_range
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    if path is not None:
        return _FilePart(path, part, status, headers)
    data = await store.read(file.key)
    return Response(data[part.first : part.last + 1], status, headers)


def _range_header(request: Request, tag: str) -> str | None:
    """Return the Range header, unless If-Range names another state of the file."""
    return request.headers.get("range") if request.headers.get("if-range", tag) == tag else None


def _tags(header: str | None) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in (header or "").split(",")}


def _headers(file: StoredFile, remaining_s: int) -> dict[str, str]:
    name = file.key.rsplit("/", 1)[-1]
    kind = "inline" if file.mime in SHOWN_IN_PLACE else "attachment"
    state = f"{file.key}\n{file.size_bytes}\n{file.modified.timestamp()}"
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={remaining_s}",
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{hashlib.sha256(state.encode()).hexdigest()[:32]}"',
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class _FilePart(Response):
    """Part of a file, read as fast as the reader takes it."""

    def __init__(self, path: Path, part: Span, status: int, headers: dict[str, str]) -> None:
        super().__init__(status_code=status, headers=headers)
        self._path = path
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            opened = await anyio.open_file(self._path, "rb")
        except OSError:
            await refused(404, _GONE)(scope, receive, send)
            return
        async with opened as file:
            await file.seek(self._part.first)
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            left = self._part.length
            while left > 0:
                chunk = await file.read(min(CHUNK, left))
                left = left - len(chunk) if chunk else 0
                with anyio.fail_after(SEND_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
