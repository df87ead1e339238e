"""Changes to what is stored: written as append-only objects, then folded into the index."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from comfygen_mcp import edits, sidecar
from comfygen_mcp.edits import Edit, Edited
from comfygen_mcp.errors import IndexFailed, StoreFailed
from comfygen_mcp.index.base import Entry, Index
from comfygen_mcp.services.gallery_keys import edits_from, is_edit, moment_of
from comfygen_mcp.services.gallery_objects import read_edits
from comfygen_mcp.stores.base import Store

_BATCH = 500
_A_MOMENT = timedelta(milliseconds=1)
_log = logging.getLogger(__name__)


class GalleryEdits:
    """Writes edits to *store* and reads them back; *now* gives them their order."""

    def __init__(self, store: Store, index: Index, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._index = index
        self._now = now
        self._last: datetime | None = None

    async def write(self, generation_id: str, *, by: str | None, **changes: Any) -> None:
        """Store an edit; the index is told, and where that fails, learns it by its next reading."""
        edit = Edit(id=edits.new_edit_id(self._next()), generation_id=generation_id, by=by, **changes)
        await self._store.put_bytes(edits.key_of(edit.id), edits.to_json(edit), mime=edits.MIME)
        try:
            await self._index.edit([edit])
        except IndexFailed as error:
            _log.warning("%s", error)

    async def remove(self, entry: Entry) -> None:
        """Remove the sidecar and then the file of a generation that is marked as deleted."""
        failures: list[StoreFailed] = []
        for key in (entry.key + sidecar.SUFFIX, entry.key):
            try:
                await self._store.delete(key)
            except StoreFailed as error:
                # The other one may still wait on this machine, and must not be delivered.
                failures.append(error)
        if failures:
            error = failures[0]
            raise StoreFailed(
                f"Generation {entry.id} is out of the gallery, but its file is still in the store: {error} "
                "`comfygen gallery sweep` removes it later."
            ) from error

    async def of(self, generation_id: str) -> list[Edit]:
        """Return the edits of one generation from the store itself: slow, for when the index is broken."""
        found: list[Edit] = []
        batch: list[str] = []
        begin = moment_of(f"{sidecar.prefix_of(generation_id)}0.png")
        async for file in self._store.list(edits.ROOT, start_after=edits_from(begin) if begin else ""):
            batch += [file.key] if is_edit(file.key) else []
            if len(batch) == _BATCH:
                found += await self._among(batch, generation_id)
                batch = []
        return found + await self._among(batch, generation_id)

    async def _among(self, keys: list[str], generation_id: str) -> list[Edit]:
        read = await read_edits(self._store, keys)
        return [edit for edit in read.found if edit.generation_id == generation_id]

    def _next(self) -> datetime:
        """Return the time, later than that of the last edit: within a millisecond ids have no order."""
        now = self._now()
        if self._last is not None and now < self._last + _A_MOMENT:
            now = self._last + _A_MOMENT
        self._last = now
        return now


def with_edited(entry: Entry, edited: Edited) -> Entry:
    """Return *entry* as it is with all edits folded in."""
    return entry.model_copy(
        update={"tags": edited.tags, "score": edited.validation_score, "shared": edited.shared}
    )
