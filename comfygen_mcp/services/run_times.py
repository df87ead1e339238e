"""How long jobs ran, kept in a small file that all processes of a user share."""

import asyncio
import contextlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import uuid4

from comfygen_mcp.models import JsonValue

RUNS_KEPT = 8
"""... of one key, the newest."""
KEYS_KEPT = 200
LARGEST_FILE = 1_000_000


class Run(NamedTuple):
    """One job: its amount of work, and the seconds it ran."""

    work: float
    seconds: float


_Known: TypeAlias = dict[str, deque[Run]]


class RunTimes:
    """Remembers runs by a key; *file* None remembers them for the life of the process.

    A file that cannot be read or written is no reason to fail, and of two processes that write at once
    one may lose a run: then an estimate is made of less.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known = _none_known()
        self._stamp: tuple[int, int] | None = None
        self._writing = threading.Lock()

    def of(self, key: str) -> Sequence[Run]:
        """Return the newest runs of *key*, the oldest of them first."""
        self._read_again()
        return tuple(self._known.get(key, ()))

    def add(self, key: str, run: Run) -> None:
        """Remember *run*; the file is written beside whatever else goes on."""
        _remember(self._known, key, run)
        if self._file is None:
            return
        write = partial(self._write, self._file, key, run)
        try:
            asyncio.get_running_loop().run_in_executor(None, write)
        except RuntimeError:
            write()

    def _read_again(self) -> None:
        """Take over what stands in the file when it has changed: another process may have run something."""
        stamp = _stamp(self._file) if self._file else None
        if self._file is not None and stamp is not None and stamp != self._stamp:
            self._known, self._stamp = _read(self._file), stamp

    def _write(self, file: Path, key: str, run: Run) -> None:
        with self._writing:
            known = _read(file)
            _remember(known, key, run)
            text = json.dumps({name: [list(one) for one in runs] for name, runs in known.items()})
            part = file.with_name(f"{uuid4().hex}.part")
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                part.write_text(text, encoding="utf-8")
                part.replace(file)
                return
            with contextlib.suppress(OSError):
                part.unlink()


def _remember(known: _Known, key: str, run: Run) -> None:
    known[key].append(run)
    # The key that was used last stays longest.
    known[key] = known.pop(key)
    for oldest in list(islice(known, max(len(known) - KEYS_KEPT, 0))):
        del known[oldest]


def _none_known() -> _Known:
    return defaultdict(lambda: deque(maxlen=RUNS_KEPT))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _read(file: Path) -> _Known:
    known = _none_known()
    try:
        if file.stat().st_size > LARGEST_FILE:
            return known
        written = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return known
    if isinstance(written, dict):
        for key, run in _runs(cast("dict[str, Any]", written)):
            _remember(known, key, run)
    return known


def _runs(written: Mapping[str, JsonValue]) -> Iterator[tuple[str, Run]]:
    """Yield what is a run in *written*, and pass over what is none."""
    for key, runs in written.items():
        for run in cast("list[Any]", runs) if isinstance(runs, list) else []:
            match run:
                case [int() | float() as work, int() | float() as seconds] if work > 0 and seconds > 0:
                    yield key, Run(float(work), float(seconds))
                case _:
                    continue
