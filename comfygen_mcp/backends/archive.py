"""The archive: what a backend has collected becomes stored files with sidecars, and is found again by id."""

import logging

from anyio import to_thread

from comfygen_mcp import sidecar
from comfygen_mcp.backends.base import Collected
from comfygen_mcp.backends.kept_files import as_text_file, without_metadata
from comfygen_mcp.errors import BadRequest, IndexFailed, StoreFailed, UnknownName
from comfygen_mcp.images import picture_size
from comfygen_mcp.index.base import Index
from comfygen_mcp.index.entries import entry_of
from comfygen_mcp.models import Generation, Job, Output, Ticket, Timings
from comfygen_mcp.sidecar import FinishedRun
from comfygen_mcp.stores.base import Store

ROOT = "g/"
"""What the keys of all generations begin with."""
BARE_ROOT = "bare/"
"""What the keys begin with that stand for files without sidecars."""

_log = logging.getLogger(__name__)


class Archive:
    """Keeps generations in *store*; the sidecar is written last, so one that is there means: complete.

    *index* is told of them, where there is one; with *strip* files lose the metadata inside them.
    """

    def __init__(self, store: Store, *, index: Index | None = None, strip: bool = False) -> None:
        self.store = store
        self._index = index
        self._strip = strip

    async def keep(
        self, job: Job, ticket: Ticket, collected: Collected, *, latency_ms: int, backend_type: str
    ) -> tuple[Generation, ...]:
        """Store every output, in order; doing it twice leaves the same keys.

        Raises StoreFailed, which says where the fetched file still lies.
        """
        timings = Timings(
            latency_ms=latency_ms, queued_ms=collected.queued_ms, running_ms=collected.running_ms
        )
        run = FinishedRun(job, ticket, collected.facts, timings, backend_type)
        kept = tuple([await self._keep_one(run, output) for output in collected.outputs])
        if job.metadata:
            await self._tell_index(kept)
        return kept

    async def find(self, generation_id: str, *, visible_to: str | None = None) -> Generation:
        """Return a generation by its id, or by enough of its beginning (at least 8 digits).

        *visible_to* names the caller whose own ones there are; None sees all. Raises UnknownName when there
        is none, BadRequest when there are several or it was stored without
        metadata, StoreFailed when its sidecar is corrupt.
        """
        generation_id = await self.whole_id(generation_id)
        files: list[str] = []
        async for file in self.store.list(sidecar.prefix_of(generation_id)):
            if sidecar.is_sidecar(file.key):
                found = await self._read(file.key)
                if visible_to in (None, found.owner):
                    return found
                raise UnknownName("generation", generation_id, (), hint=_HINT)
            files.append(file.key)
        if files:
            raise BadRequest(
                f"Generation {generation_id} was stored without metadata, so nothing more is known of it. "
                f"The file itself is there, under the store key {files[0]}."
            )
        raise UnknownName("generation", generation_id, await self._ids_near(generation_id), hint=_HINT)

    async def read_output(self, generation: Generation) -> bytes:
        """Return the bytes of the stored file."""
        return await self.store.read(generation.key)

    async def _tell_index(self, kept: tuple[Generation, ...]) -> None:
        """Make *kept* findable at once; where that fails, the index learns of them by reading the store."""
        if self._index is None:
            return
        try:
            await self._index.add([entry_of(generation) for generation in kept])
        except IndexFailed as error:
            _log.warning("%s", error)

    async def _keep_one(self, run: FinishedRun, output: Output) -> Generation:
        fetched = output.path
        try:
            output, notes = await self._cleaned(output)
            output, text = as_text_file(output)
            key = sidecar.output_key(run.job, output)
            size = await to_thread.run_sync(picture_size, output.path) if output.media == "image" else None
            generation = sidecar.generation_of(run, output, url=self.store.url(key), size=size)
            generation = generation.model_copy(update={"notes": (*generation.notes, *notes)})
            await self._put(generation, output, text)
        except StoreFailed as error:
            raise StoreFailed(f"{error} The fetched file is kept at {fetched}.") from error
        return generation

    async def _cleaned(self, output: Output) -> tuple[Output, tuple[str, ...]]:
        if not self._strip or output.text is not None:
            return output, ()
        return await to_thread.run_sync(without_metadata, output)

    async def _put(self, generation: Generation, output: Output, text: bytes | None) -> None:
        data = sidecar.to_json(generation) if generation.job.metadata else None
        if data is None:
            # First, so that no crash leaves a file that looks like one whose sidecar was lost.
            await self.store.put_bytes(bare_key(generation.key), b"", mime="application/octet-stream")
        if text is None:
            facts = {"generation-id": generation.id, "sha256": generation.sha256}
            await self.store.put_file(generation.key, output.path, mime=generation.mime, metadata=facts)
        else:
            await self.store.put_bytes(generation.key, text, mime=generation.mime)
        if data is not None:
            await self.store.put_bytes(generation.key + sidecar.SUFFIX, data, mime=sidecar.MIME)

    async def _read(self, key: str) -> Generation:
        return generation_from(await self.store.read(key), key)

    async def whole_id(self, generation_id: str) -> str:
        """Return the one id that begins with *generation_id*; a whole id is returned as it is."""
        span = sidecar.span_of(generation_id)
        if span is None:
            return generation_id
        digits = generation_id.replace("-", "").casefold()
        found: dict[str, None] = {}
        async for file in self.store.list(ROOT, start_after=span[0]):
            if file.key > span[1]:
                break
            identifier = sidecar.id_in(file.key)
            if identifier.replace("-", "").startswith(digits):
                found[identifier] = None
        if len(found) > 1:
            raise BadRequest(
                f"Several generations begin with {generation_id!r}: {', '.join(found)}. Give one in full."
            )
        if not found:
            raise UnknownName("generation", generation_id, await self._ids(ROOT, most=5), hint=_HINT)
        return next(iter(found))

    async def _ids_near(self, generation_id: str) -> list[str]:
        """Return ids of the same day, or a few others, to tell a typing mistake from an empty store."""
        day = sidecar.prefix_of(generation_id).rpartition("/")[0]
        return await self._ids(f"{day}/", most=1000) or await self._ids(ROOT, most=5)

    async def _ids(self, prefix: str, *, most: int) -> list[str]:
        found: dict[str, None] = {}
        async for file in self.store.list(prefix):
            if identifier := sidecar.id_in(file.key):
                found[identifier] = None
            if len(found) == most:
                break
        return list(found)


def bare_key(key: str) -> str:
    """Return the key of the empty object that says: this file was stored without a sidecar on purpose."""
    return f"{BARE_ROOT}{key[len(ROOT) : len(ROOT) + len('2026/11/21/')]}{sidecar.id_in(key)}"


def generation_from(data: bytes, key: str) -> Generation:
    """Read the sidecar that lies at *key*; raises StoreFailed for a corrupt one.

    What it says of its own place does not count: whoever can write one sidecar must not speak for others.
    """
    file = key.removesuffix(sidecar.SUFFIX)
    return sidecar.from_json(data, key=file).model_copy(update={"id": sidecar.id_in(key), "key": file})


_HINT = "Ids stand in the results of generate_image and in the names of the stored files."
