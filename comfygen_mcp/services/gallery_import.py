"""Import: folders of ComfyUI, exported zips unpacked, and the source system's files become generations."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from anyio import to_thread

from comfygen_mcp import sidecar
from comfygen_mcp.backends.kept_files import STILL_THERE, sha256_of
from comfygen_mcp.errors import BadRequest, ComfygenError, StoreFailed
from comfygen_mcp.index.base import Index
from comfygen_mcp.index.entries import encodable_text, entry_of
from comfygen_mcp.metadata.strip import strip_file
from comfygen_mcp.models import Generation, Record
from comfygen_mcp.services.gallery_fill import Tell
from comfygen_mcp.services.gallery_foreign import Foreign, foreign_file
from comfygen_mcp.stores.base import Store

NAMED = 200
"""So many failures are named in a report."""
MEDIA = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"),
    *(".mp4", ".mov", ".webm", ".mkv", ".flac", ".mp3", ".opus", ".ogg", ".wav"),
)
"""Files that ComfyUI writes; others in the folder are passed by."""


class ImportFailure(Record):
    """A file that was not imported, by its path inside the folder, and why not."""

    file: str
    reason: str


class ImportReport(Record):
    """What became of the files of a folder; *present* were in the gallery already, or deleted from it."""

    imported: int
    present: int
    failed: int
    failures: tuple[ImportFailure, ...] = ()


class Import:
    """Copies files into *store* and tells *index*; *scratch* is a folder for copies in between."""

    def __init__(self, store: Store, index: Index, *, scratch: Path, strip: bool) -> None:
        self._store = store
        self._index = index
        self._scratch = scratch
        self._strip = strip

    async def run(self, folder: Path, tell: Tell) -> ImportReport:
        """Import *folder* with all folders in it; doing it again adds nothing."""
        await self._refuse_own(folder)
        files = await to_thread.run_sync(lambda: sorted(_files(folder)))
        imported, present, failures = 0, 0, list[ImportFailure]()
        for done, file in enumerate(files, start=1):
            name = encodable_text(file.relative_to(folder).as_posix())
            try:
                foreign = await to_thread.run_sync(foreign_file, file, name)
            except ComfygenError as error:
                failures.append(ImportFailure(file=name, reason=str(error)))
            else:
                new = await self._keep(foreign)
                imported, present = imported + new, present + (not new)
            tell(done, len(files))
        return ImportReport(
            imported=imported, present=present, failed=len(failures), failures=tuple(failures[:NAMED])
        )

    async def _refuse_own(self, folder: Path) -> None:
        if not await to_thread.run_sync(folder.is_dir):
            if folder.suffix.lower() == ".zip":
                raise BadRequest(f"{folder.name!r} is a zip. Unpack it first, and name the folder.")
            raise BadRequest(f"{folder.name!r} is no folder here. Name one with pictures in it.")
        own = self._store.local_path("g")
        if own is not None and await to_thread.run_sync(_is_inside, folder, own.parent):
            raise BadRequest(
                "That is the gallery itself; what lies in it is found after `comfygen gallery reindex`."
            )

    async def _keep(self, foreign: Foreign) -> bool:
        """Store one file with its sidecar; False when it is there, or was deleted from here."""
        key = foreign.generation.key
        if await self._store.stat(key + sidecar.SUFFIX) is not None:
            return False
        copy = self._scratch / f"import-{foreign.generation.id}{foreign.path.suffix}"
        try:
            # A copy, because a store may keep the very file that it is given: this one is somebody else's.
            generation = await to_thread.run_sync(self._copied, foreign, copy)
            generation = generation.model_copy(update={"minio_url": self._store.url(key)})
            # Before the file, so that none is ever left without its sidecar for what it says.
            data, entry = sidecar.to_json(generation), entry_of(generation)
            await self._store.put_file(key, copy, mime=generation.mime)
        finally:
            await to_thread.run_sync(_removed, copy)
        await self._store.put_bytes(key + sidecar.SUFFIX, data, mime=sidecar.MIME)
        await self._index.add([entry])
        if await self._index.get(generation.id) is not None:
            return True
        await self._store.delete(key + sidecar.SUFFIX)
        await self._store.delete(key)
        return False

    def _copied(self, foreign: Foreign, copy: Path) -> Generation:
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            cleaned = self._strip and strip_file(foreign.path, copy)
            if not cleaned:
                shutil.copyfile(foreign.path, copy)
            file = {"size_bytes": copy.stat().st_size, "sha256": sha256_of(copy)}
        except OSError as error:
            raise StoreFailed(
                f"{foreign.path.name!r} could not be copied: {error.strerror}. Look at the disk."
            ) from error
        notes = foreign.generation.notes + ((STILL_THERE,) if self._strip and not cleaned else ())
        return foreign.generation.model_copy(update={**file, "notes": notes})


def _removed(copy: Path) -> None:
    with contextlib.suppress(OSError):
        copy.unlink()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the media files of *folder* and of those in it; links to folders are not followed."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in MEDIA and path.is_file():
                yield path


def _is_inside(folder: Path, own: Path) -> bool:
    return folder.resolve().is_relative_to(own.resolve())
