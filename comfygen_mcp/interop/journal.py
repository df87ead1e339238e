"""The log file of a run: one JSON object per line for every request, submission and verdict; no secrets."""

import json
import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import httpx

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import JsonValue


class Journal:
    """Writes lines as they come, so that a run that is cut short leaves its log."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began = time.monotonic()

    def note(self, kind: str, **details: JsonValue) -> None:
        at = round(time.monotonic() - self._began, 3)
        self._file.write(json.dumps({"at": at, "kind": kind, **details}, ensure_ascii=False) + "\n")
        self._file.flush()


@contextmanager
def open_journal(path: Path) -> Generator[Journal]:
    """Open *path* for one run and note every HTTP request meanwhile; raises BadRequest."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise BadRequest(
            f"The log {path} cannot be written: {error.strerror}. Choose another --log."
        ) from error
    with file:
        journal = Journal(file)
        with _listening(journal):
            yield journal


@contextmanager
def _listening(journal: Journal) -> Generator[None]:
    """Take over what httpx says about each request: method, URL and status, never headers."""
    logger = logging.getLogger("httpx")
    before = logger.level, logger.propagate
    listener = _Requests(journal)
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.level, logger.propagate = before


class _Requests(logging.Handler):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        match record.args:
            case (str() as method, httpx.URL() as url, _, int() as status, *_):
                path = url.raw_path.decode("ascii", errors="replace")
                self._journal.note("request", method=method, path=path, status=status)
            case _:
                pass
