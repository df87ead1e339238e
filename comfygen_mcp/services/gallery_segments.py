"""Day segments: all entries of a finished day in one object, so that a cold index needs one read per day.

They spare reads and decide nothing: what the listing of the sidecars does not confirm is not used, what a
segment lacks is read from its sidecar, and edits are folded in after it.
"""

import logging
import zlib
from collections.abc import Iterable

from pydantic import ValidationError

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.entries import encodable
from comfygen_mcp.services.gallery_objects import bytes_of
from comfygen_mcp.stores.base import Store

ROOT = "segments/"
MIME = "application/zlib"
MOST_ENTRIES = 50_000
"""A day of more has no segment: one is held in memory as a whole."""
MOST_BYTES = 256_000_000
"""Of a segment unpacked; a compressed object could claim to be anything."""

_SUFFIX = ".ndjson.z"
_log = logging.getLogger(__name__)


class Segments:
    """The segments of *store*, by day: `2026/11/21`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def days(self) -> frozenset[str]:
        """Return the days that have a segment."""
        keys = [file.key async for file in self._store.list(ROOT)]
        return frozenset(key.removeprefix(ROOT).removesuffix(_SUFFIX) for key in keys)

    async def read(self, day: str) -> dict[str, Entry]:
        """Return the entries of *day* by their sidecars' keys; none when there is no usable segment."""
        data = await bytes_of(self._store, _key(day))
        if data is None:
            return {}
        try:
            entries = [Entry.model_validate_json(line) for line in _unpacked(data).splitlines()]
        except (ValidationError, ValueError, zlib.error):
            _log.warning("%s is damaged and left out; its sidecars are read in its place", _key(day))
            return {}
        return {f"{entry.key}.json": entry for entry in entries}

    async def write(self, day: str, entries: Iterable[Entry]) -> None:
        """Write the segment of *day*: the same entries make the same bytes."""
        packer = zlib.compressobj()
        lines = sorted(entries, key=lambda entry: entry.key)
        packed = [packer.compress(encodable(entry).model_dump_json().encode() + b"\n") for entry in lines]
        try:
            await self._store.put_bytes(_key(day), b"".join(packed) + packer.flush(), mime=MIME)
        except StoreFailed as error:
            # Nothing is lost but time: the sidecars are all there.
            _log.warning("%s", error)


def _key(day: str) -> str:
    return f"{ROOT}{day}{_SUFFIX}"


def _unpacked(data: bytes) -> bytes:
    packer = zlib.decompressobj()
    text = packer.decompress(data, MOST_BYTES)
    if not packer.eof:
        raise ValueError("it is cut short, or far larger than a day")
    return text
