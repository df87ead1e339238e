"""Where comparisons are kept: compare.json and the contact sheet, as objects of the store."""

import tempfile
from pathlib import Path

from anyio import to_thread

from comfygen_mcp import compare
from comfygen_mcp.compare import Comparison, StoredSheet
from comfygen_mcp.compare_sheet import sheet_of
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.names import nearest_names, telling_beginnings
from comfygen_mcp.stores.base import Store

RECORD = "compare.json"
SHEET = "contact-sheet.png"
PREVIEW = "contact-sheet-preview.webp"
SHORTEST_BEGINNING = 8
"""Digits of an id that are enough to be looked for."""
NAMED = 5
"""Comparisons that are named to somebody who asks for one that is not there."""


class ComparisonShelf:
    """Writes and reads them in *store*; the record is the truth, the sheet is drawn from it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(self, comparison: Comparison) -> None:
        key = record_key(comparison)
        await self._store.put_bytes(key, compare.to_json(comparison), mime=compare.MIME)

    async def find(self, comparison_id: str, *, visible_to: str | None = None) -> Comparison:
        """Return a comparison by its id, or by enough of its beginning; raises UnknownName."""
        comparison = await self._read(comparison_id)
        if comparison is None:
            whole = await self._completed(comparison_id, visible_to)
            comparison = None if whole is None else await self._read(whole)
        if comparison is None or (visible_to is not None and comparison.request.owner != visible_to):
            known = await self._ids() if visible_to is None else []
            near = nearest_names(comparison_id, known[::-1], limit=NAMED) or known[: -NAMED - 1 : -1]
            raise UnknownName("comparison", comparison_id, near, hint=_HINT)
        return comparison

    async def draw(self, comparison: Comparison) -> StoredSheet:
        """Draw the contact sheet of what there is, and store it with its small form."""
        from comfygen_mcp.sheets.draw import draw_sheet

        with tempfile.TemporaryDirectory(prefix="comfygen-sheet-") as folder:
            pictures = await self._pictures(comparison, Path(folder))
            drawn = await to_thread.run_sync(draw_sheet, sheet_of(comparison, pictures))
        folder_key = compare.folder_of(comparison.id)
        await self._store.put_bytes(folder_key + PREVIEW, drawn.preview, mime="image/webp")
        await self._store.put_bytes(folder_key + SHEET, drawn.full, mime="image/png")
        return StoredSheet(key=folder_key + SHEET, width=drawn.width, height=drawn.height)

    async def preview(self, comparison: Comparison) -> bytes | None:
        """Return the small form of the sheet (WebP), or None when there is none to be had."""
        if comparison.sheet is None:
            return None
        try:
            return await self._store.read(compare.folder_of(comparison.id) + PREVIEW)
        except StoreFailed:
            return None

    async def _read(self, comparison_id: str) -> Comparison | None:
        try:
            key = compare.folder_of(comparison_id.strip().casefold()) + RECORD
        except ValueError:
            return None
        if await self._store.stat(key) is None:
            return None
        return compare.from_json(await self._store.read(key), key=key)

    async def _completed(self, beginning: str, visible_to: str | None) -> str | None:
        digits = beginning.replace("-", "").casefold()
        if not SHORTEST_BEGINNING <= len(digits) < 32:
            return None
        found = {i for i in await self._ids() if i.replace("-", "").startswith(digits)}
        if visible_to is not None:
            found = {i for i in found if await self._owner(i) == visible_to}
        if len(found) > 1:
            apart = ", ".join(telling_beginnings(found, shortest=SHORTEST_BEGINNING))
            raise BadRequest(f"Several comparisons begin with {beginning!r}: {apart}. Give one of these.")
        return next(iter(found), None)

    async def _owner(self, comparison_id: str) -> str | None:
        try:
            comparison = await self._read(comparison_id)
        except StoreFailed:
            return None
        return comparison and comparison.request.owner

    async def _ids(self) -> list[str]:
        suffix = f"/{RECORD}"
        keys = [file.key async for file in self._store.list(compare.ROOT)]
        return [key.removesuffix(suffix).rpartition("/")[2] for key in keys if key.endswith(suffix)]

    async def _pictures(self, comparison: Comparison, folder: Path) -> dict[int, Path]:
        """Return the pictures of the cells as files; what is not on this disk is fetched into *folder*."""
        found: dict[int, Path] = {}
        for place, attempt in comparison.last_attempts().items():
            if attempt.key is None or await self._store.stat(attempt.key) is None:
                continue
            path = self._store.local_path(attempt.key)
            if path is None:
                path = await self._fetched(attempt.key, folder / str(place))
            found[place] = path
        return found

    async def _fetched(self, key: str, path: Path) -> Path:
        data = await self._store.read(key)
        try:
            await to_thread.run_sync(path.write_bytes, data)
        except OSError as reason:
            raise StoreFailed(f"No room to draw a contact sheet: {reason.strerror}.") from reason
        return path


def record_key(comparison: Comparison) -> str:
    """Return where compare.json is."""
    return compare.folder_of(comparison.id) + RECORD


_HINT = "compare_models returns it; a comparison stays in the store as long as nobody deletes it."
