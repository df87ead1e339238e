"""Looks things up for the gallery page, whichever way it asks: as an MCP App, or over HTTP."""

from datetime import UTC, datetime
from pathlib import Path

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Count, Entry
from comfygen_mcp.services.gallery_search import Filters, GallerySearch
from comfygen_mcp.services.thumbnails import edge_for, thumbnail
from comfygen_mcp.tools.app_views import FACETS, CardPage, Recipe, card_of, recipe_of_card
from comfygen_mcp.tools.sharing import as_seen, entries_seen

MOST_CARDS = 120


async def card_page(app: App, filters: Filters, *, limit: int, cursor: str | None) -> CardPage:
    """Return a page as the caller of *app* may see it; raises BadRequest for what cannot be searched for."""
    if not 1 <= limit <= MOST_CARDS:
        raise BadRequest(f"limit={limit} is not possible: a page has 1 to {MOST_CARDS} cards.")
    search = GallerySearch(app.gallery, visible_to=app.owner, now=lambda: datetime.now(UTC))
    query = await search.query(filters)
    page = await app.gallery.search(query, limit=limit, cursor=cursor, count=cursor is None)
    return CardPage(
        cards=[card_of(entry) for entry in await entries_seen(page.entries, app)],
        cursor=page.cursor,
        total=page.total,
        more=page.more,
    )


async def recipe(app: App, generation_id: str) -> Recipe:
    """Return all that made one file; raises UnknownName with the nearest ids."""
    entry = await app.gallery.entry(generation_id, visible_to=app.owner)
    generation = await app.gallery.find(entry.id, visible_to=app.owner)
    children = await app.gallery.children(entry.id, visible_to=app.owner)
    link = app.file_url(entry.key) if app.file_url else None
    [card, *others] = await entries_seen([entry, *children], app)
    return recipe_of_card(card, await as_seen(generation, app), others, download_url=link)


async def small(app: App, entry: Entry, edge: int) -> bytes | None:
    """Return a WebP of one file, or None where there is nothing to be seen."""
    return await thumbnail(app.store, entry, edge_for(edge), cache=thumbnail_folder(app))


async def facets(app: App) -> dict[str, list[Count]]:
    """Return what can be filtered by, the most frequent values first."""
    return {facet: await app.gallery.counts(facet, limit=200, visible_to=app.owner) for facet in FACETS}


def thumbnail_folder(app: App) -> Path:
    return app.settings.cache / "thumbnails"
