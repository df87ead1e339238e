"""Export: files and sidecars of the gallery in one zip, written as they are read."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation, Record
from comfygen_mcp.services.gallery_fill import Tell
from comfygen_mcp.services.gallery_objects import bytes_of
from comfygen_mcp.services.gallery_zip import GalleryZip
from comfygen_mcp.stores.base import Store

NAMED = 100
"""So many ids and names of each kind stand in a report."""

T = TypeVar("T")


class ExportReport(Record):
    """What a zip holds. *missing* are ids whose file or sidecar is gone; they are not in it.

    *uncleaned* are ids of files whose metadata cannot be taken out, and was to be: neither are they.
    """

    files: int
    size_bytes: int
    missing: tuple[str, ...] = ()
    uncleaned: tuple[str, ...] = ()


class Export:
    """Writes zips; *record_of* reads the record behind an entry.

    *strip* takes the metadata out of files, and the graph, the host and the caller out of sidecars.
    """

    def __init__(
        self,
        store: Store,
        record_of: Callable[[Entry], Awaitable[Generation]],
        *,
        strip: bool,
        sidecars: bool,
    ) -> None:
        self._store = store
        self._record_of = record_of
        self._strip = strip
        self._sidecars = sidecars

    async def write(self, entries: AsyncIterator[Entry], into: Path, tell: Tell) -> ExportReport:
        """Write the zip *into*, whole or not at all; one file at a time is in memory or beside it."""
        if await to_thread.run_sync(into.exists):
            raise BadRequest(
                f"{into.name!r} is there already. Name a file that is not, or move that one away."
            )
        scratch = Path(await _on_disk(into, partial(tempfile.mkdtemp, prefix=".export-", dir=into.parent)))
        try:
            packed = await _on_disk(
                into, lambda: GalleryZip(scratch, strip=self._strip, sidecars=self._sidecars)
            )
            try:
                report = await self._fill(packed, entries, into, tell)
            finally:
                await _on_disk(into, packed.close)
            await _on_disk(into, partial(packed.path.replace, into))
        finally:
            await to_thread.run_sync(partial(shutil.rmtree, scratch, ignore_errors=True))
        return report

    async def _fill(
        self, packed: GalleryZip, entries: AsyncIterator[Entry], into: Path, tell: Tell
    ) -> ExportReport:
        missing, uncleaned = list[str](), list[str]()
        async for entry in entries:
            generation = await self._generation(entry)
            file = await self._file(entry, packed.scratch / "fetched", into) if generation else None
            if generation is None or file is None:
                missing.append(entry.id)
            elif not await _on_disk(into, partial(packed.add, generation, file)):
                uncleaned.append(entry.id)
            tell(packed.files, None)
        return ExportReport(
            files=packed.files,
            size_bytes=packed.size_bytes,
            missing=tuple(missing[:NAMED]),
            uncleaned=tuple(uncleaned[:NAMED]),
        )

    async def _generation(self, entry: Entry) -> Generation | None:
        try:
            return await self._record_of(entry)
        except StoreFailed:
            # Gone or corrupt, unless the store itself is away: then this raises.
            await self._store.stat(entry.key)
            return None

    async def _file(self, entry: Entry, scratch: Path, into: Path) -> Path | None:
        """Return a file of this machine with the bytes of *entry*, None when they are gone."""
        here = self._store.local_path(entry.key)
        if here is not None and await to_thread.run_sync(here.is_file):
            return here
        data = await bytes_of(self._store, entry.key)
        if data is None:
            return None
        await _on_disk(into, partial(scratch.write_bytes, data))
        return scratch


async def _on_disk(into: Path, work: Callable[[], T]) -> T:
    try:
        return await to_thread.run_sync(work)
    except OSError as error:
        raise StoreFailed(
            f"The zip {into.name!r} could not be written: {error.strerror or error}. Look at its folder."
        ) from error
