"""The gallery: everything that was made, found again and changed, whether or not any ComfyUI is up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from pathlib import Path

from anyio import to_thread

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import MAX_PAGE, Count, Entry, Facet, Index, Page, Query, Reading
from comfygen_mcp.metadata.strip import CLEANED, stripped
from comfygen_mcp.models import Generation
from comfygen_mcp.services.gallery_care import Care, CareReport, rules_of
from comfygen_mcp.services.gallery_edits import GalleryEdits
from comfygen_mcp.services.gallery_export import Export, ExportReport
from comfygen_mcp.services.gallery_fill import IndexFill, Tell, silent
from comfygen_mcp.services.gallery_find import Finder
from comfygen_mcp.services.gallery_import import Import, ImportReport
from comfygen_mcp.services.gallery_sync import GallerySync
from comfygen_mcp.services.gallery_tags import changed_tags
from comfygen_mcp.services.gallery_upkeep import Upkeep
from comfygen_mcp.stores.base import Store

WAIT_S = 3.0
"""How long a look-up waits for the index to be brought up to date before it answers with what is there."""


class Gallery:
    """What *store* holds, found through *index*.

    *visible_to* names the caller whose own generations and the shared ones count; None may see all.
    """

    def __init__(
        self, store: Store, index: Index, *, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._index = index
        self._settings = settings
        self._edits = GalleryEdits(store, index, now=now)
        self._finder = Finder(store, index, self._edits)
        self._sync = GallerySync(
            IndexFill(store, index, now=now), store_name=store.name, locks=settings.index
        )
        rules = rules_of(settings)
        self._care = Care(store, index, self._edits, rules, now=now)
        self._upkeep = Upkeep(self._sync, self._care, self._sync.marker, rules=rules.any)
        self._changing = asyncio.Lock()

    async def search(
        self, query: Query, *, limit: int = 20, cursor: str | None = None, count: bool = False
    ) -> Page:
        """Return one page of at most 200; raises BadRequest for a text or a cursor that cannot be used."""
        if not 1 <= limit <= MAX_PAGE:
            raise BadRequest(
                f"A page has 1 to {MAX_PAGE} entries, not {limit}. Its cursor leads to the next."
            )
        await self._refreshed()
        return await self._index.search(query, limit=limit, cursor=cursor, count=count)

    async def matches(self, query: Query) -> AsyncIterator[Entry]:
        """Yield all matches of *query*, newest first."""
        await self._refreshed()
        async for entry in self._index.all_entries(query):
            yield entry

    async def find(self, generation_id: str, *, visible_to: str | None = None) -> Generation:
        """Return a generation as it is today, by its id or enough of its beginning (at least 8 digits).

        Raises UnknownName with the nearest ids, BadRequest when several begin so, StoreFailed when its
        sidecar cannot be read.
        """
        return await self._finder.generation(await self.entry(generation_id, visible_to=visible_to))

    async def entry(self, generation_id: str, *, visible_to: str | None = None) -> Entry:
        """Return the same as a compact entry, without reading the sidecar."""
        await self._refreshed()
        return await self._finder.entry(generation_id, visible_to=visible_to)

    async def children(self, generation_id: str, *, visible_to: str | None = None) -> list[Entry]:
        """Return what was made from a generation, newest first."""
        parent = await self.entry(generation_id, visible_to=visible_to)
        query = Query(parent_id=parent.id, visible_to=visible_to)
        return list((await self._index.search(query, limit=MAX_PAGE)).entries)

    async def counts(
        self, facet: Facet, *, beginning: str = "", limit: int = 100, visible_to: str | None = None
    ) -> list[Count]:
        """Return the values of *facet*, the most frequent first."""
        await self._refreshed()
        return await self._index.counts(facet, beginning=beginning, limit=limit, visible_to=visible_to)

    async def beginning_with(
        self, beginning: str, *, limit: int = 20, visible_to: str | None = None
    ) -> list[str]:
        """Return the newest ids that begin so."""
        await self._refreshed()
        return await self._index.beginning_with(beginning, limit=limit, visible_to=visible_to)

    async def size(self) -> int:
        """Return how many generations there are."""
        await self._refreshed()
        return await self._index.size()

    async def tag(
        self,
        generation_id: str,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        by: str | None = None,
        visible_to: str | None = None,
    ) -> Entry:
        """Add and remove tags; raises BadRequest for what is no tag, or for what is not the caller's own."""
        async with self._changing:
            entry = await self._own(generation_id, visible_to)
            tags = changed_tags(entry.tags, add=add, remove=remove)
            if tags != entry.tags:
                await self._edits.write(entry.id, by=by, tags=tags)
            return entry.model_copy(update={"tags": tags})

    async def share(
        self, generation_id: str, shared: bool, by: str | None = None, *, visible_to: str | None = None
    ) -> Entry:
        """Let every caller see a generation, or no longer."""
        entry = await self._own(generation_id, visible_to)
        if shared != entry.shared:
            await self._edits.write(entry.id, by=by, shared=shared)
        return entry.model_copy(update={"shared": shared})

    async def delete(
        self, generation_id: str, *, by: str | None = None, visible_to: str | None = None
    ) -> Entry:
        """Delete a generation with its file, for good; return what it was.

        The deletion is noted first: from then on it is found no more, whatever else fails.
        """
        entry = await self._own(generation_id, visible_to)
        await self._edits.write(entry.id, by=by, deleted=True)
        await self._edits.remove(entry)
        return entry

    async def read_output(self, generation: Generation) -> bytes:
        """Return the bytes of the stored file; raises StoreFailed when it is gone."""
        return await self._store.read(generation.key)

    async def read_shared(self, generation: Generation) -> bytes:
        """Return the same as others may have it: without the graph inside, unless that is switched off.

        Raises BadRequest for a kind of file that it cannot be taken out of.
        """
        data = await self.read_output(generation)
        if self._settings.strip_metadata == "never" or generation.media == "text":
            return data
        cleaned = await to_thread.run_sync(stripped, data)
        if cleaned is None:
            raise BadRequest(
                f"The {generation.mime} file of generation {generation.id} is not handed on: its metadata "
                f"can only be taken out of {CLEANED}. With `strip_metadata: never` it goes as it is."
            )
        return cleaned

    async def refresh(self) -> None:
        """Read what other processes and machines added; raises StoreFailed or IndexFailed."""
        await self._sync.refresh()

    async def reindex(self, progress: Tell = silent) -> Reading:
        """Forget the index and build it again from the store; return how far that came and what was skipped.

        It may be interrupted at any time, and then goes on by itself. *progress* is told how many are done,
        and about how many there are, None where nobody knows.
        """
        before = await self._index.size()
        await self._sync.rebuild(lambda done, _: progress(done, max(done, before) if before else None))
        return await self._index.reading()

    async def care(
        self, *, dry_run: bool = True, remove_orphans: bool = False, progress: Tell = silent
    ) -> CareReport:
        """Report what interruptions left and what the rules would delete; do it unless *dry_run*."""
        await self._sync.heal(silent)
        return await self._care.run(dry_run=dry_run, remove_orphans=remove_orphans, tell=progress)

    async def upkeep(self) -> bool:
        """Do the daily upkeep now, unless it was done within a day; tell whether it was due."""
        return await self._upkeep.run()

    async def export(
        self,
        what: Query | Iterable[str],
        into: Path,
        *,
        strip: bool | None = None,
        sidecars: bool = True,
        visible_to: str | None = None,
        progress: Tell = silent,
    ) -> ExportReport:
        """Write matches of a query, or generations by their ids, with their sidecars into the zip *into*.

        *strip* None means: as `strip_metadata` says.
        """
        if strip is None:
            strip = self._settings.strip_metadata != "never"
        if isinstance(what, Query):
            entries = self.matches(what.model_copy(update={"visible_to": visible_to or what.visible_to}))
        else:
            entries = self._entries(what, visible_to)
        export = Export(self._store, self._finder.generation, strip=strip, sidecars=sidecars)
        return await export.write(entries, into, progress)

    async def import_folder(self, folder: Path, progress: Tell = silent) -> ImportReport:
        """Copy the files of a ComfyUI output folder, or of an unpacked export, into the gallery."""
        strip = self._settings.strip_metadata == "always"
        work = Import(self._store, self._index, scratch=self._settings.incoming, strip=strip)
        return await work.run(folder, progress)

    async def reading(self) -> Reading:
        """Return how far the index has read the store."""
        return await self._index.reading()

    async def aclose(self) -> None:
        """Stop what runs in the background; the next process goes on with it."""
        await self._upkeep.aclose()
        await self._sync.aclose()

    async def _entries(self, wanted: Iterable[str], visible_to: str | None) -> AsyncIterator[Entry]:
        for generation_id in wanted:
            yield await self.entry(generation_id, visible_to=visible_to)

    async def _own(self, generation_id: str, visible_to: str | None) -> Entry:
        entry = await self.entry(generation_id, visible_to=visible_to)
        if visible_to is not None and entry.owner != visible_to:
            raise BadRequest(
                f"Generation {entry.id} is shared with you, and belongs to somebody else: only its owner can "
                "change or delete it."
            )
        return entry

    async def _refreshed(self) -> None:
        await self._sync.refreshed(within_s=WAIT_S)
        self._upkeep.begin()
