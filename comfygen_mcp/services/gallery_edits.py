"""Changes to what is stored: written as append-only objects, then folded into the index."""

import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from comfygen_mcp import edits, sidecar
from comfygen_mcp.edits import Edit, Edited
from comfygen_mcp.errors import IndexFailed, StoreFailed
from comfygen_mcp.index.base import Entry, Index
from comfygen_mcp.services.gallery_keys import edits_from, is_edit, moment_of
from comfygen_mcp.services.gallery_objects import read_edits
from comfygen_mcp.stores.base import Store

_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_BELOW_TIME = 80
"""Bits of a UUIDv7 behind its milliseconds."""
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_log = logging.getLogger(__name__)


class GalleryEdits:
    """Writes edits to *store* and reads them back.

    *now* gives them their order; where another machine's clock is ahead, an edit that was made after one of
    that machine's is dated after it all the same.
    """

    def __init__(self, store: Store, index: Index, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._index = index
        self._now = now
        self._last = 0
        self._ahead: dict[str, int] = {}

    async def write(self, generation_id: str, *, by: str | None, **changes: Any) -> None:
        """Store an edit; the index is told, and where that fails, learns it by its next reading."""
        # A deletion is never taken back: it needs no order.
        after = 0 if changes.get("deleted") else await self._latest_ahead(generation_id)
        moment = self._next(generation_id, after)
        edit = Edit(id=edits.new_edit_id(moment), generation_id=generation_id, by=by, **changes)
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
        begin = moment_of(f"{sidecar.prefix_of(generation_id)}0.png")
        return await self._since(begin or _EPOCH, generation_id)

    async def _since(self, moment: datetime, generation_id: str) -> list[Edit]:
        found: list[Edit] = []
        batch: list[str] = []
        async for file in self._store.list(edits.ROOT, start_after=edits_from(moment)):
            batch += [file.key] if is_edit(file.key) else []
            if len(batch) == _BATCH:
                found += await self._among(batch, generation_id)
                batch = []
        return found + await self._among(batch, generation_id)

    async def _among(self, keys: list[str], generation_id: str) -> list[Edit]:
        read = await read_edits(self._store, keys)
        return [edit for edit in read.found if edit.generation_id == generation_id]

    async def _latest_ahead(self, generation_id: str) -> int:
        """Return the milliseconds of the generation's latest edit that this clock has yet to reach, or 0."""
        try:
            found = await self._since(self._now(), generation_id)
        except StoreFailed as error:
            # The edit itself may wait on this machine until the store is back.
            _log.warning("%s", error)
            return 0
        return max((uuid.UUID(edit.id).int >> _BELOW_TIME for edit in found), default=0)

    def _next(self, generation_id: str, after: int) -> datetime:
        """Return the time, later than all edits before: within a millisecond ids have no order."""
        now = _milliseconds(self._now())
        self._last = max(now, self._last + 1)
        self._ahead = {each: last for each, last in self._ahead.items() if last >= now}
        after = max(after, self._ahead.get(generation_id, 0))
        if after >= self._last:
            # Only this one generation follows the wrong clock.
            self._ahead[generation_id] = min(after + 1, _LAST)
            return _moment(self._ahead[generation_id])
        return _moment(self._last)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _moment(milliseconds: int) -> datetime:
    """Return the middle of that millisecond, which stays in it whatever is rounded later."""
    return _EPOCH + milliseconds * _MILLISECOND + _MILLISECOND / 2


def with_edited(entry: Entry, edited: Edited) -> Entry:
    """Return *entry* as it is with all edits folded in."""
    return entry.model_copy(
        update={"tags": edited.tags, "score": edited.validation_score, "shared": edited.shared}
    )
