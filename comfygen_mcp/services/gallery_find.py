"""Finds one generation by its id: in the index, and where that does not know it or fails, in the store."""

import logging
import uuid

from comfygen_mcp import edits, ids, sidecar
from comfygen_mcp.backends.archive import Archive, generation_from
from comfygen_mcp.edits import Edited
from comfygen_mcp.errors import BadRequest, IndexFailed, StoreFailed, UnknownName
from comfygen_mcp.index.base import MAX_PAGE, Entry, Index, Query
from comfygen_mcp.models import Generation
from comfygen_mcp.names import nearest_names, telling_beginnings
from comfygen_mcp.services.gallery_edits import GalleryEdits, with_edited
from comfygen_mcp.services.gallery_keys import next_day
from comfygen_mcp.services.gallery_objects import bytes_of, indexable
from comfygen_mcp.stores.base import Store

GONE = "The file itself is no longer in the store; this record of it is all there is."
HINT = "search_gallery finds ids by prompt, model, date and tags."

SHORTEST_BEGINNING = 8
"""Digits of an id that are enough to be looked for."""
_SEVERAL = 5
_log = logging.getLogger(__name__)


class Finder:
    """Looks in *index* first; *visible_to* of its methods names who asks, None may see all."""

    def __init__(self, store: Store, index: Index, changes: GalleryEdits) -> None:
        self._store = store
        self._archive = Archive(store)
        self._index = index
        self._changes = changes

    async def entry(self, wanted: str, *, visible_to: str | None) -> Entry:
        """Return the entry of an id, or of enough of its beginning (at least 8 digits).

        Raises UnknownName when there is none that the caller may see, BadRequest when there are several.
        """
        wanted = wanted.strip()
        try:
            entry = await self._indexed(wanted, visible_to) or await self._unindexed(wanted, visible_to)
        except IndexFailed as error:
            _log.warning("%s", error)
            entry = await self._from_store(wanted, visible_to)
        if entry is None or not _may_see(entry, visible_to):
            known = await self._near(wanted, visible_to)
            near = nearest_names(wanted, known, limit=_SEVERAL) or known[:_SEVERAL]
            raise UnknownName("generation", wanted, near, hint=HINT)
        return entry

    async def generation(self, entry: Entry) -> Generation:
        """Return the record behind *entry* as it is today; its notes say when the file is gone."""
        key = entry.key + sidecar.SUFFIX
        data = await bytes_of(self._store, key)
        if data is None:
            raise StoreFailed(
                f"The sidecar of generation {entry.id} is no longer in the store. "
                "`comfygen gallery reindex` takes what is gone out of the gallery."
            )
        edited = Edited(tags=entry.tags, validation_score=entry.score)
        generation = edits.with_edits(generation_from(data, key), edited)
        if await self._store.stat(entry.key) is None:
            return generation.model_copy(update={"notes": (*generation.notes, GONE)})
        return generation

    async def _indexed(self, wanted: str, visible_to: str | None) -> Entry | None:
        if sidecar.span_of(wanted) is None:
            return await self._index.get(_whole(wanted))
        found = await self._index.beginning_with(wanted, limit=_SEVERAL, visible_to=visible_to)
        if len(found) > 1:
            apart = ", ".join(telling_beginnings(found, shortest=SHORTEST_BEGINNING))
            raise BadRequest(f"Several generations begin with {wanted!r}, such as {apart}. Give more digits.")
        return await self._index.get(found[0]) if found else None

    async def _unindexed(self, wanted: str, visible_to: str | None) -> Entry | None:
        """Return what the store has and the index does not: not read yet, or just being deleted."""
        generation = await self._stored(wanted, visible_to)
        if generation is None:
            return None
        await self._index.add([indexable(generation)])
        return await self._index.get(generation.id)

    async def _from_store(self, wanted: str, visible_to: str | None) -> Entry | None:
        generation = await self._stored(wanted, visible_to)
        if generation is None:
            return None
        found = await self._changes.of(generation.id)
        edited = edits.folded(edits.edited_of(generation), found)
        return None if edited.deleted else with_edited(indexable(generation), edited)

    async def _stored(self, wanted: str, visible_to: str | None) -> Generation | None:
        if visible_to is not None and sidecar.span_of(wanted) is not None:
            # What the store finds by a beginning, it finds for everybody.
            return None
        try:
            return await self._archive.find(wanted)
        except UnknownName:
            return None
        except BadRequest:
            if await self._is_half_deleted(wanted):
                return None
            raise

    async def _is_half_deleted(self, wanted: str) -> bool:
        """Tell what an interrupted deletion left from a file that was stored without a sidecar on purpose."""
        whole = await self._archive.whole_id(wanted)
        return any(edit.deleted for edit in await self._changes.of(whole))

    async def _near(self, wanted: str, visible_to: str | None) -> list[str]:
        """Return ids of the same day, or else the newest ones: a typing mistake shows."""
        try:
            if sidecar.span_of(wanted) is None:
                day = ids.id_time(_whole(wanted)).replace(hour=0, minute=0, second=0, microsecond=0)
                query = Query(since=day, until=next_day(day), visible_to=visible_to)
                same_day = await self._index.search(query, limit=MAX_PAGE)
                if same_day.entries:
                    return [entry.id for entry in same_day.entries]
            newest = await self._index.search(Query(visible_to=visible_to), limit=_SEVERAL)
        except IndexFailed:
            return []
        return [entry.id for entry in newest.entries]


def _whole(wanted: str) -> str:
    """Return a whole id in its usual form; raises BadRequest for what is not even the beginning of one."""
    sidecar.prefix_of(wanted)
    return str(uuid.UUID(wanted))


def _may_see(entry: Entry, visible_to: str | None) -> bool:
    return visible_to is None or entry.shared or entry.owner == visible_to
