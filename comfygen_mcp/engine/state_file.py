"""The file by which a running engine is found again: its address and process."""

import json
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comfygen_mcp.engine.options import ENGINE_VERSION


@contextmanager
def announced(file: Path, url: str) -> Generator[None]:
    """Write *file* whole, and remove it in the end unless another engine has replaced it by then."""
    state = {
        "url": url,
        "pid": os.getpid(),
        "version": ENGINE_VERSION,
        "started_at": datetime.now(UTC).isoformat(),
    }
    _replace(file, state)
    try:
        yield
    finally:
        if _read(file) == state:
            file.unlink(missing_ok=True)


def _replace(file: Path, state: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(state, stream)
        Path(temporary).replace(file)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
