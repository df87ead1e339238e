"""The folder of one comparison: a copy of every picture by its name, compare.json and the contact sheet."""

import asyncio
import os
from itertools import chain, count
from pathlib import Path

from comfygen_mcp import compare
from comfygen_mcp.compare import Comparison
from comfygen_mcp.compare_plan import folder_name
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.stores.base import Store

RECORD = "compare.json"
SHEET = "contact-sheet.png"


class ComparisonFolder:
    """`<output>/<YYYYMMDD-HHMMSS>-<prompt-slug>/`, brought up to date as the comparison goes on."""

    def __init__(self, store: Store, comparison: Comparison, output: Path) -> None:
        self._store = store
        # The local time of whoever reads the name; one that is resumed later finds its folder again.
        name = folder_name(comparison.request.prompt, comparison.created_at.astimezone())
        self.path = _own_folder(output, name, comparison.id)

    @staticmethod
    def check(output: Path) -> None:
        """Make *output*; raises BadRequest when it cannot be written, before anything is generated."""
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as reason:
            raise BadRequest(f"--output {str(output)!r} cannot be made: {reason.strerror}.") from reason
        if not os.access(output, os.W_OK):
            raise BadRequest(f"--output {str(output)!r} cannot be written. Name another folder.")

    async def update(self, comparison: Comparison) -> None:
        """Copy what is new; raises BadRequest when the folder cannot be written any more."""
        try:
            await self._update(comparison)
        except OSError as reason:
            raise BadRequest(
                f"{self.path} cannot be written: {reason.strerror}. What is done is stored; when there is "
                f"room again: comfygen compare --resume {comparison.id}"
            ) from reason

    async def _update(self, comparison: Comparison) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        for attempt in comparison.last_attempts().values():
            if attempt.key is not None and attempt.file is not None:
                await self._copy(attempt.key, attempt.file)
        if comparison.sheet is not None:
            await self._write(SHEET, await self._store.read(comparison.sheet.key))
        await self._write(RECORD, compare.to_json(comparison))

    async def _copy(self, key: str, name: str) -> None:
        if (self.path / name).exists():
            return
        try:
            await self._write(name, await self._store.read(key))
        except StoreFailed:
            # Deleted meanwhile, or the store is away: compare.json names the key all the same.
            return

    async def _write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all: a second run skips what is there."""
        target = self.path / name
        unfinished = target.with_name(f".{name}.part")
        await asyncio.to_thread(unfinished.write_bytes, data)
        await asyncio.to_thread(unfinished.replace, target)


def _own_folder(output: Path, name: str, comparison_id: str) -> Path:
    """Return the folder called *name*, numbered when another comparison of the same second has it."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(path for path in map(output.joinpath, names) if _is_of(path / RECORD, comparison_id))


def _is_of(record: Path, comparison_id: str) -> bool:
    try:
        return compare.from_json(record.read_bytes(), key=RECORD).id == comparison_id
    except FileNotFoundError:
        return True
    except (OSError, StoreFailed):
        return False
