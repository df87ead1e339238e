"""Fetching outputs: streamed to a temporary name, hashed on the way, renamed when whole."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.outputs import Remote, RemoteFile, RemoteText
from comfygen_mcp.comfyui.unreachable import cause_of, unreachable
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.errors import BackendUnreachable, StoreFailed, UnexpectedReply
from comfygen_mcp.models import Output

_PIECE = 1 << 18
_HELD = 1 << 20
"""Bytes that are held before they are written: most pictures need one visit to a thread."""
_UNSAFE = re.compile(r"[^\w.-]+")
_BEFORE_WORDS = b"\xef\xbb\xbf \t\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an output goes; more than *max_bytes* is refused."""

    folder: Path
    index: int
    max_bytes: int | None = None


async def download(http: Http, remote: Remote, target: Target) -> Output:
    """Fetch one output into the target's folder; a broken transfer is tried once more."""
    if isinstance(remote, RemoteText):
        return await _written(remote, target)
    try:
        return await _fetched(http, remote, target)
    except httpx.TransportError:
        # httpx counts the body against its announced length, so half a file is no file.
        return await _fetched_again(http, remote, target)


async def _fetched_again(http: Http, remote: RemoteFile, target: Target) -> Output:
    try:
        return await _fetched(http, remote, target)
    except httpx.TransportError as error:
        raise unreachable(http.host, f"{_named(remote)} did not arrive whole, {cause_of(error)}") from error


async def _fetched(http: Http, remote: RemoteFile, target: Target) -> Output:
    query = {"filename": remote.filename, "subfolder": remote.subfolder, "type": remote.type}
    path = target.folder / _local_name(remote.filename, target.index)
    try:
        async with asyncio.timeout(http.timing.transfer_s), http.stream("/view", query) as response:
            await _check(http, response, remote, target)
            size, digest = await _save(_pieces(response, remote, target), path)
    except TimeoutError as error:
        raise BackendUnreachable(
            f"{_named(remote)} could not be fetched within {http.timing.transfer_s:g} s. Fetch it again."
        ) from error
    return Output(
        path=path,
        filename=remote.filename,
        media=remote.media,
        mime=remote.mime,
        size_bytes=size,
        sha256=digest,
        node_id=remote.node_id,
        index=target.index,
        temporary=remote.type == "temp",
    )


async def _check(http: Http, response: httpx.Response, remote: RemoteFile, target: Target) -> None:
    http.check(response)
    if response.status_code == 404:
        raise UnexpectedReply(
            f"{_named(remote)} is listed in the history but is no longer on the server: it was deleted there "
            "(an identical graph is answered from ComfyUI's cache with the old file name). Submit it again "
            "with another filename_prefix or seed."
        )
    if response.status_code != 200:
        words = first_line((await response.aread()).decode(errors="replace"))
        raise UnexpectedReply(
            f"{_named(remote)} cannot be fetched: HTTP {response.status_code} {words}".rstrip()
        )
    announced = int(response.headers.get("content-length") or 0)
    _check_size(announced, remote, target)


async def _pieces(response: httpx.Response, remote: RemoteFile, target: Target) -> AsyncIterator[bytes]:
    size = 0
    async for piece in response.aiter_bytes(_PIECE):
        if not size:
            _check_beginning(piece, remote)
        size += len(piece)
        _check_size(size, remote, target)
        yield piece
    if not size and remote.media != "text":
        raise UnexpectedReply(
            f"{_named(remote)} is empty on the server (0 bytes): nothing was stored. "
            "Check the free disk space there and submit it again."
        )


def _check_beginning(piece: bytes, remote: RemoteFile) -> None:
    """Refuse a page or a message that was sent, with a 200, in place of a picture, a film or a sound."""
    if remote.media not in {"image", "video", "audio"} or remote.mime == "image/svg+xml":
        return
    if piece.lstrip(_BEFORE_WORDS)[:1] in {b"<", b"{"}:
        raise UnexpectedReply(
            f"{_named(remote)} is no {remote.media}: the server, or a proxy before it, sent text "
            f"(HTML or JSON) in its place: {first_line(piece[:300].decode(errors='replace'), limit=80)!r}. "
            "Check `base_url` and what stands between here and ComfyUI."
        )


def _check_size(size: int, remote: RemoteFile, target: Target) -> None:
    if target.max_bytes is not None and size > target.max_bytes:
        raise UnexpectedReply(
            f"{_named(remote)} has {size} bytes or more; at most {target.max_bytes} are taken. "
            "Make it smaller, or raise the limit."
        )


async def _written(remote: RemoteText, target: Target) -> Output:
    data = remote.text.encode("utf-8", errors="replace")
    name = f"{remote.node_id}.txt"
    path = target.folder / _local_name(name, target.index)

    async def whole() -> AsyncIterator[bytes]:
        yield data

    size, digest = await _save(whole(), path)
    return Output(
        path=path,
        filename=name,
        media="text",
        mime="text/plain",
        size_bytes=size,
        sha256=digest,
        node_id=remote.node_id,
        index=target.index,
        text=remote.text,
    )


async def _save(pieces: AsyncIterator[bytes], path: Path) -> tuple[int, str]:
    """Write *pieces* beside *path*, then rename: a file of that name is always whole."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    digest, size, held = hashlib.sha256(), 0, bytearray()
    try:
        async for piece in pieces:
            digest.update(piece)
            size += len(piece)
            held += piece
            if len(held) >= _HELD:
                await asyncio.to_thread(_append, held, partial)
                held = bytearray()
        await asyncio.to_thread(_finish, held, partial, path)
    except OSError as error:
        raise StoreFailed(
            f"The output folder cannot be written: {error.strerror}. Check space and rights."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return size, digest.hexdigest()


def _append(data: bytearray, partial: Path) -> None:
    with partial.open("ab") as file:
        file.write(data)


def _finish(data: bytearray, partial: Path, path: Path) -> None:
    _append(data, partial)
    partial.replace(path)


def _local_name(filename: str, index: int) -> str:
    """Return a name of our own making: a server's file name is never trusted as a path."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return f"{index:03d}_{_UNSAFE.sub('_', last)[-80:]}"


def _named(remote: RemoteFile) -> str:
    subfolder = f"{remote.subfolder}/" if remote.subfolder else ""
    return f"Output {subfolder + remote.filename!r} (type {remote.type}) of node {remote.node_id}"
