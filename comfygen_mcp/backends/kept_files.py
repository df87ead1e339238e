"""An output as the file it is stored as: texts become files, and metadata is taken out where that is set."""

import hashlib
from pathlib import Path

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.metadata.strip import CLEANED, strip_file
from comfygen_mcp.models import Output

STILL_THERE = f"The file still carries its metadata: that can be taken out of {CLEANED} only."


def as_text_file(output: Output) -> tuple[Output, bytes | None]:
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


def without_metadata(output: Output) -> tuple[Output, tuple[str, ...]]:
    """Return *output* as a cleaned copy beside its file, or as it is with a note; blocks on the disk."""
    if output.media == "text":
        return output, ()
    target = output.path.with_name(f"{output.path.stem}.cleaned{output.path.suffix}")
    try:
        if not strip_file(output.path, target):
            return output, (STILL_THERE,)
        file = {"path": target, "size_bytes": target.stat().st_size, "sha256": sha256_of(target)}
    except OSError as error:
        raise StoreFailed(
            f"The metadata of {output.filename!r} could not be taken out: {error.strerror}. Look at the disk."
        ) from error
    return output.model_copy(update=file), ()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
