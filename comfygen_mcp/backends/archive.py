"""The archive: what a backend has collected becomes stored files with sidecars, and is found again by id."""

import hashlib
import logging
from collections import deque

from anyio import to_thread

from comfygen_mcp import sidecar
from comfygen_mcp.backends.base import Collected
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.images import picture_size
from comfygen_mcp.models import Generation, Job, Output, Ticket, Timings
from comfygen_mcp.sidecar import FinishedRun
from comfygen_mcp.stores.base import Store

ROOT = "g/"
"""What the keys of all generations begin with."""

_log = logging.getLogger(__name__)


class Archive:
    """Keeps generations in *store*; the sidecar is written last, so one that is there means: complete."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
        return tuple([await self._keep_one(run, output) for output in collected.outputs])

    async def find(self, generation_id: str) -> Generation:
        """Return a generation by its id, or by enough of its beginning (at least 8 digits).

        Raises UnknownName when there is none, BadRequest when there are several or it was stored without
        metadata, StoreFailed when its sidecar is corrupt.
        """
        generation_id = await self._completed(generation_id)
        files: list[str] = []
        async for file in self._store.list(sidecar.prefix_of(generation_id)):
            if sidecar.is_sidecar(file.key):
                return await self._read(file.key)
            files.append(file.key)
        if files:
            raise BadRequest(
                f"Generation {generation_id} was stored without metadata, so nothing more is known of it. "
                f"The file itself is there, under the store key {files[0]}."
            )
        raise UnknownName("generation", generation_id, await self._ids_near(generation_id), hint=_HINT)

    async def read_output(self, generation: Generation) -> bytes:
        """Return the bytes of the stored file."""
        return await self._store.read(generation.key)

    async def recent(self, limit: int) -> list[Generation]:
        """Return the newest generations first; a corrupt sidecar is logged and left out."""
        newest: deque[str] = deque(maxlen=max(limit, 0))
        async for file in self._store.list(ROOT):
            if sidecar.is_sidecar(file.key):
                newest.append(file.key)
        found: list[Generation] = []
        for key in reversed(newest):
            try:
                found.append(await self._read(key))
            except StoreFailed as error:
                _log.warning("%s", error)
        return found

    async def _keep_one(self, run: FinishedRun, output: Output) -> Generation:
        output, text = _as_text_file(output)
        key = sidecar.output_key(run.job, output)
        size = await to_thread.run_sync(picture_size, output.path) if output.media == "image" else None
        generation = sidecar.generation_of(run, output, url=self._store.url(key), size=size)
        try:
            await self._put(generation, output, text)
        except StoreFailed as error:
            raise StoreFailed(f"{error} The fetched file is kept at {output.path}.") from error
        return generation

    async def _put(self, generation: Generation, output: Output, text: bytes | None) -> None:
        data = sidecar.to_json(generation) if generation.job.metadata else None
        if text is None:
            facts = {"generation-id": generation.id, "sha256": generation.sha256}
            await self._store.put_file(generation.key, output.path, mime=generation.mime, metadata=facts)
        else:
            await self._store.put_bytes(generation.key, text, mime=generation.mime)
        if data is not None:
            await self._store.put_bytes(generation.key + sidecar.SUFFIX, data, mime=sidecar.MIME)

    async def _read(self, key: str) -> Generation:
        return sidecar.from_json(await self._store.read(key), key=key.removesuffix(sidecar.SUFFIX))

    async def _completed(self, generation_id: str) -> str:
        """Return the one id that begins with *generation_id*; a whole id is returned as it is."""
        span = sidecar.span_of(generation_id)
        if span is None:
            return generation_id
        digits = generation_id.replace("-", "").casefold()
        found: dict[str, None] = {}
        async for file in self._store.list(ROOT, start_after=span[0]):
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
        async for file in self._store.list(prefix):
            if identifier := sidecar.id_in(file.key):
                found[identifier] = None
            if len(found) == most:
                break
        return list(found)


_HINT = "Ids stand in the results of generate_image and in the names of the stored files."


def _as_text_file(output: Output) -> tuple[Output, bytes | None]:
    """Return a text output as the file it becomes, with its bytes; any other output as it is."""
    if output.text is None:
        return output, None
    data = output.text.encode("utf-8", errors="replace")
    file = {
        "filename": "text.txt",
        "mime": "text/plain",
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return output.model_copy(update=file), data
