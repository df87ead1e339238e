"""Tools that find stored pictures and read back one of them; no ComfyUI is needed for either."""

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
from anyio import to_thread
from mcp.types import CallToolResult, ContentBlock, TextContent
from pydantic import Field

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.images import SHEET_EDGE, contact_sheet
from comfygen_mcp.index.base import Entry, Page, Sort
from comfygen_mcp.services.gallery_search import Filters, GallerySearch
from comfygen_mcp.tools.app_search import small
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.gallery_views import SearchView, rows_text, search_view
from comfygen_mcp.tools.results import preview_block
from comfygen_mcp.tools.untrusted import NOTICE

MOST_ROWS = 100
MOST_PICTURES = 24
"""Rows that a preview shows: more would be too small to be seen."""


async def search_gallery(  # noqa: PLR0913, PLR0917 - each argument is one filter
    app: TheApp,
    text: Annotated[str | None, Field(description='Words, "phrases", begin*, -without')] = None,
    contains: Annotated[str | None, Field(description="Part of a prompt")] = None,
    model: str | None = None,
    backend: str | None = None,
    workflow: str | None = None,
    lora: str | None = None,
    preset: str | None = None,
    kind: str | None = None,
    tag: Annotated[str | None, Field(description="Or several: a,b")] = None,
    seed: int | str | None = None,
    min_score: float | None = None,
    since: Annotated[str | None, Field(description="Date, time, 7d")] = None,
    until: str | None = None,
    group: Annotated[str | None, Field(description="comparison_id")] = None,
    parent: str | None = None,
    sort: Sort | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    preview: Annotated[bool | None, Field(description="Sheet of the first 24")] = None,
) -> Annotated[CallToolResult, SearchView]:
    """Find stored pictures, newest first, 20 a page. Needs no ComfyUI. seed: or '1-9'."""
    filters = Filters(
        text=text or "",
        contains=contains,
        model=model,
        backend=backend,
        workflow=workflow,
        lora=lora,
        preset=preset,
        kind=kind,
        tags=listed(tag),
        seed=seed,
        min_score=min_score,
        since=since,
        until=until,
        group=group,
        parent=parent,
        sort=sort or "newest",
    )
    page = await found(app, filters, limit=limit, cursor=cursor)
    view = await search_view(page, app)
    content: list[ContentBlock] = [TextContent(type="text", text=search_text(view))]
    if preview:
        content += await sheet_blocks(app, page.entries)
    return CallToolResult(
        content=content, structured_content=view.model_dump(mode="json", exclude_defaults=True)
    )


def listed(tags: str | None) -> tuple[str, ...]:
    """Return what stands between commas, which no tag holds."""
    return tuple(word for part in (tags or "").split(",") if (word := part.strip()))


async def found(app: App, filters: Filters, *, limit: int | None, cursor: str | None) -> Page:
    """Return a page for the caller of *app*; raises BadRequest with the nearest values of a wrong filter."""
    rows = 20 if limit is None else limit
    if not 1 <= rows <= MOST_ROWS:
        raise BadRequest(f"limit={rows} is not possible: a page has 1 to {MOST_ROWS} rows; cursor leads on.")
    search = GallerySearch(app.gallery, visible_to=app.owner, now=lambda: datetime.now(UTC))
    query = await search.query(filters)
    return await app.gallery.search(query, limit=rows, cursor=cursor, count=cursor is None)


def search_text(view: SearchView) -> str:
    """Return the page in words: how many there are, a line each, and how to go on."""
    if not view.entries:
        return "Nothing in the gallery matches. Leave a filter out, or search for fewer words."
    count = len(view.entries)
    of = "" if view.total is None else f" of {'more than ' * view.more}{view.total:,}"
    head = f"{count}{of} stored picture{'s' * (count != 1 or view.total != 1)}. {NOTICE}"
    foot = [f"For the next page add cursor={view.cursor!r}."] if view.cursor else []
    return "\n".join([head, *rows_text(view.entries), *foot])


async def sheet_blocks(app: App, entries: Sequence[Entry]) -> list[ContentBlock]:
    """Return one picture of the first rows, each with its row's number; nothing when none is a picture."""
    shown = entries[:MOST_PICTURES]
    edge = SHEET_EDGE // math.ceil(math.sqrt(max(len(shown), 1)))
    pictures: list[bytes | Path] = [b""] * len(shown)

    async def read(at: int, entry: Entry) -> None:
        # What cannot be read leaves its place empty: the others keep the numbers of their rows.
        with suppress(StoreFailed):
            pictures[at] = await small(app, entry, edge) or b""

    async with anyio.create_task_group() as reading:
        for at, entry in enumerate(shown):
            reading.start_soon(read, at, entry)
    data = await to_thread.run_sync(partial(contact_sheet, pictures))
    return [] if data is None else [preview_block(data)]
