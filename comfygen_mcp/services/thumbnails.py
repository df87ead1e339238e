"""Small pictures of what is stored: made when they are first looked at, and kept on this machine's disk."""

import contextlib
import hashlib
import io
import logging
import os
import tempfile
from functools import partial
from pathlib import Path

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from comfygen_mcp.images import PREVIEW_MIME, small_picture
from comfygen_mcp.index.base import Entry
from comfygen_mcp.stores.base import Store
from comfygen_mcp.videos import MAX_BYTES, stills

EDGES = (256, 512, 1024, 1536)
"""Longest edges that there are; a closed set keeps the cache small."""
MIME = PREVIEW_MIME
CACHE_BYTES = 512_000_000
"""What all of them may take on the disk; those not looked at for longest go first."""

SHARDS = 64
"""Folders that share that room evenly; each is kept within its part alone."""
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
        await to_thread.run_sync(_keep, Path(path), data, most_bytes // SHARDS)
    return data


def tag_of(entry: Entry, edge: int) -> str:
    """Return a text that is the same only for the same small picture."""
    # The key is part of it: a record that lies about its digest gets nobody else's picture.
    return hashlib.sha256(f"{entry.key}\n{entry.sha256}\n{edge}".encode(errors="replace")).hexdigest()


def _place(cache: Path, entry: Entry, edge: int) -> Path:
    tag = tag_of(entry, edge)
    return cache / f"{int(tag[:4], 16) % SHARDS:02x}" / f"{tag}.webp"


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
    """Write a small picture whole or not at all; a disk that is full or read-only only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
        _shrink(path.parent, shard_bytes)
    except OSError as reason:
        _log.debug("a small picture was not kept: %s", reason)


def _shrink(shard: Path, most_bytes: int) -> None:
    """Remove the files of one folder that were not looked at for longest, until the rest fits."""
    with os.scandir(shard) as found:
        files = sorted(
            ((file.stat(), file.path) for file in found), key=lambda f: f[0].st_mtime, reverse=True
        )
    total = 0
    for facts, path in files:
        total += facts.st_size
        if total > most_bytes:
            Path(path).unlink(missing_ok=True)
