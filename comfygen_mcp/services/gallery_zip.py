"""A zip of files and their sidecars, as they are stored or as they may be shown to others."""

import shutil
import zipfile
from pathlib import Path

from comfygen_mcp import sidecar
from comfygen_mcp.backends.kept_files import sha256_of
from comfygen_mcp.metadata.strip import strip_file
from comfygen_mcp.models import Generation, JsonValue


class GalleryZip:
    """A zip that is being written in the folder *scratch*; its methods block."""

    def __init__(self, scratch: Path, *, strip: bool, sidecars: bool) -> None:
        self.scratch = scratch
        self.path = scratch / "gallery.zip"
        self.files = 0
        self.size_bytes = 0
        self._strip = strip
        self._sidecars = sidecars
        self._zip = zipfile.ZipFile(self.path, "w")

    def add(self, generation: Generation, file: Path) -> bool:
        """Add a file and its sidecar; False, and nothing added, when its metadata was to go and cannot."""
        if self._strip and generation.media != "text":
            cleaned = self.scratch / "cleaned"
            if not strip_file(file, cleaned):
                return False
            file = cleaned
        if self._strip:
            generation = as_shared(generation, file)
        name = generation.key.rpartition("/")[2]
        with (
            file.open("rb") as source,
            self._zip.open(_info(generation, name), "w", force_zip64=True) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        if self._sidecars:
            info = _info(generation, name + sidecar.SUFFIX)
            info.compress_type = zipfile.ZIP_DEFLATED
            self._zip.writestr(info, sidecar.to_json(generation))
        self.files += 1
        self.size_bytes += file.stat().st_size
        return True

    def close(self) -> None:
        self._zip.close()


def as_shared(generation: Generation, file: Path) -> Generation:
    """Return the record as others may see it, of the bytes that are in *file*."""
    size = {"size_bytes": file.stat().st_size, "sha256": sha256_of(file)}
    return without_private(generation).model_copy(update=size)


def without_private(generation: Generation) -> Generation:
    """Return the record with prompt, seed and settings; graph, inputs, host, callers and addresses go."""
    job = generation.job.model_copy(
        update={"graph": None, "values": {}, "overrides": {}, "inputs": (), "caller": None, "owner": None}
    )
    hidden: dict[str, JsonValue] = {
        "graph": {},
        "graph_sha256": "",
        "host": "unknown",
        "prompt_id": "",
        "client_id": "",
        "caller": None,
        "owner": None,
        "job": job,
        "minio_url": generation.key.rpartition("/")[2],
    }
    return generation.model_copy(update=hidden)


def _info(generation: Generation, name: str) -> zipfile.ZipInfo:
    """Return a zip's entry that is dated like the picture; zips know no year before 1980."""
    moment = max(generation.timestamp.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
    return zipfile.ZipInfo(name, date_time=moment)
