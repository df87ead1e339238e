"""What leaves by a link: a copy of the stored file without the graph and the prompt inside it."""

import hashlib
from functools import partial
from pathlib import Path

from anyio import to_thread

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.metadata.strip import CLEANED, strip_file
from comfygen_mcp.services import disk_cache
from comfygen_mcp.stores.base import Store, StoredFile

CACHE_BYTES = 2_000_000_000
"""What all copies may take on the disk."""


async def copy_to_hand_on(store: Store, file: StoredFile, settings: Settings) -> Path | None:
    """Return the cleaned copy of *file*; None where it goes as it is, as what is no picture or sound does.

    Raises BadRequest for a kind of file that cannot be cleaned, StoreFailed when it cannot be read or copied.
    """
    if settings.strip_metadata == "never" or not file.mime.startswith(("image/", "video/", "audio/")):
        return None
    state = f"{file.key}\n{file.size_bytes}\n{file.modified.timestamp()}"
    tag = hashlib.sha256(state.encode(errors="replace")).hexdigest()
    path = disk_cache.place(settings.cache / "handed-on", tag, Path(file.key).suffix)
    if await to_thread.run_sync(disk_cache.looked_at, path):
        return path
    source = store.local_path(file.key) or await store.read(file.key)
    try:
        made = await to_thread.run_sync(partial(_make, path, source))
    except OSError as reason:
        raise StoreFailed(
            "No copy could be made to hand on: the disk of the cache does not take it."
        ) from reason
    if not made:
        raise BadRequest(
            f"A file of type {file.mime} is not handed on by a link: what it tells about its making can "
            f"only be taken out of {CLEANED}. With `strip_metadata: never` it goes as it is."
        )
    return path


def _make(path: Path, source: Path | bytes) -> bool:
    def write(part: Path) -> bool:
        if isinstance(source, Path):
            return strip_file(source, part)
        original = part.with_suffix(".original")
        try:
            original.write_bytes(source)
            return strip_file(original, part)
        finally:
            original.unlink(missing_ok=True)

    return disk_cache.keep(path, write, most_bytes=CACHE_BYTES // disk_cache.SHARDS)
