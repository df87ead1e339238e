"""Daily upkeep of a service that runs on: everything is listed once, and configured rules are applied."""

import asyncio
import logging
import time
from pathlib import Path

from anyio import to_thread

from comfygen_mcp.errors import IndexFailed, StoreFailed
from comfygen_mcp.services.gallery_care import Care
from comfygen_mcp.services.gallery_fill import silent
from comfygen_mcp.services.gallery_sync import GallerySync

EVERY_S = 24 * 3600.0
SETTLED_S = 600.0
"""A process this young may be a single command, which has better things to do."""

_log = logging.getLogger(__name__)


class Upkeep:
    """Runs at most once a day for all processes that share *marker*, a file whose age tells."""

    def __init__(self, sync: GallerySync, care: Care, marker: Path, *, rules: bool) -> None:
        self._sync = sync
        self._care = care
        self._marker = marker
        self._rules = rules
        self._settled = time.monotonic() + SETTLED_S
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin it in the background, once this process is settled."""
        if self._task is None and time.monotonic() >= self._settled:
            self._settled = time.monotonic() + SETTLED_S
            self._task = asyncio.create_task(self._quietly())
            self._task.add_done_callback(self._ended)

    async def run(self) -> bool:
        """List everything and apply the rules, unless a process did so within a day; tell whether it did."""
        if not await to_thread.run_sync(self._is_due):
            return False
        await self._sync.heal(silent)
        if self._rules:
            report = await self._care.run(dry_run=False, remove_orphans=False, tell=silent)
            if report.beyond_bytes:
                _log.warning(
                    "the gallery is above quota_gb, and deleting what is not tagged `keep` cannot change that"
                )
            if report.removed:
                _log.info("retention and quota removed %d objects", report.removed)
        return True

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _quietly(self) -> None:
        try:
            await self.run()
        except (StoreFailed, IndexFailed) as error:
            _log.warning("the gallery's daily upkeep stopped: %s", error)

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    def _is_due(self) -> bool:
        """Tell whether the marker is old, and make it new: others need not begin as well."""
        try:
            if self._marker.exists() and time.time() - self._marker.stat().st_mtime < EVERY_S:
                return False
            self._marker.parent.mkdir(parents=True, exist_ok=True)
            self._marker.touch()
        except OSError as error:
            raise IndexFailed(f"The index's folder cannot be used: {error.strerror}.") from error
        return True
