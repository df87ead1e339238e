"""Small pictures of what is stored: made when they are first looked at, and kept on this machine's disk."""

import contextlib
import hashlib
import io
import logging
import os
from functools import partial
from pathlib import Path

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from comfygen_mcp.images import PREVIEW_MIME, small_picture
from comfygen_mcp.index.base import Entry
from comfygen_mcp.services import disk_cache
from comfygen_mcp.stores.base import Store
from comfygen_mcp.videos import MAX_BYTES, stills

EDGES = (256, 512, 1024, 1536)
"""Longest edges that there are; a closed set keeps the cache small."""
MIME = PREVIEW_MIME
CACHE_BYTES = 512_000_000
"""What all of them may take on the disk; those not looked at for longest go first."""

_AT_ONCE = 2
"""Pictures that are decoded at once: large ones must not lie in memory together."""
_QUALITY = 82
_limiter: RunVar[CapacityLimiter] = RunVar("thumbnails")
_log = logging.getLogger(__name__)


def edge_for(wanted: int) -> int:
    """Return the smallest of EDGES that is not smaller than *wanted*, else the largest."""
    return next((edge for edge in EDGES if edge >= wanted), EDGES[-1])


async def thumbnail(
    store: Store, entry: Entry, edge: int, *, cache: Path, most_bytes: int = CACHE_BYTES
) -> bytes | None:
    """Return a WebP of *entry* of at most *edge* pixels, without metadata; None where there is no picture.

    Raises StoreFailed when the file cannot be read.
    """
    if entry.media not in {"image", "video"} or entry.size_bytes > MAX_BYTES:
        return None
    path = anyio.Path(_place(cache, entry, edge))
    with contextlib.suppress(OSError):
        data = await path.read_bytes()
        await to_thread.run_sync(os.utime, path)
        return data
    async with _decoders():
        source = store.local_path(entry.key) or await store.read(entry.key)
        data = await to_thread.run_sync(partial(_drawn, source, entry.mime, edge))
    if data is not None:
        await to_thread.run_sync(_keep, Path(path), data, most_bytes // disk_cache.SHARDS)
    return data


def tag_of(entry: Entry, edge: int) -> str:
    """Return a text that is the same only for the same small picture."""
    # The key is part of it: a record that lies about its digest gets nobody else's picture.
    return hashlib.sha256(f"{entry.key}\n{entry.sha256}\n{edge}".encode(errors="replace")).hexdigest()


def _place(cache: Path, entry: Entry, edge: int) -> Path:
    return disk_cache.place(cache, tag_of(entry, edge), ".webp")


def _decoders() -> CapacityLimiter:
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = CapacityLimiter(_AT_ONCE)
        _limiter.set(limiter)
    return limiter


def _drawn(source: Path | bytes, mime: str, edge: int) -> bytes | None:
    picture = small_picture(source, edge)
    if picture is None and mime.startswith("video/"):
        first = next(iter(stills(source, 1)), None)
        picture = None if first is None else small_picture(first, edge)
    if picture is None:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return buffer.getvalue()


def _keep(path: Path, data: bytes, shard_bytes: int) -> None:
    """Keep a small picture; a disk that is full or read-only only costs time."""

    def write(part: Path) -> bool:
        part.write_bytes(data)
        return True

    try:
        disk_cache.keep(path, write, most_bytes=shard_bytes)
    except OSError as reason:
        _log.debug("a small picture was not kept: %s", reason)
