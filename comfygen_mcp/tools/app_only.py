"""Tools that only the gallery page calls: pixels, pages, recipes and progress, none of it for the model."""

import base64
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ImageContent
from pydantic import Field

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.services.gallery_search import Filters
from comfygen_mcp.services.thumbnails import MIME
from comfygen_mcp.tools.app_search import card_page, recipe, small
from comfygen_mcp.tools.app_views import CardPage, Recipe
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.control import JobsView, get_job
from comfygen_mcp.tools.views import View

EDGE_MOST = 1024
"""Longest edge that travels through a host: its result stays far below what clients accept."""


async def gallery_picture(
    app: TheApp, generation_id: str, edge: Annotated[int, Field(ge=1, le=EDGE_MOST)] = 512
) -> CallToolResult:
    """Return a small picture of one stored file to the gallery page."""
    entry = await app.gallery.entry(generation_id, visible_to=app.owner)
    data = await small(app, entry, edge)
    if data is None:
        raise BadRequest(f"There is no small picture of {entry.id}: it is a file of type {entry.mime}.")
    picture = ImageContent(type="image", data=base64.b64encode(data).decode("ascii"), mime_type=MIME)
    return CallToolResult(content=[picture])


async def gallery_cards(
    app: TheApp,
    filters: Filters | None = None,
    cursor: str | None = None,
    limit: int = 24,
) -> Annotated[CallToolResult, CardPage]:
    """Return a page of cards to the gallery page."""
    return _told(await card_page(app, filters or Filters(), limit=limit, cursor=cursor))


async def gallery_recipe(app: TheApp, generation_id: str) -> Annotated[CallToolResult, Recipe]:
    """Return the recipe of one stored file to the gallery page."""
    return _told(await recipe(app, generation_id))


async def gallery_job(app: TheApp, ctx: Context, job_id: str) -> Annotated[CallToolResult, JobsView]:
    """Tell the gallery page how far a job or a comparison is."""
    seen = await get_job(app, ctx, job_id=job_id, wait_s=0, preview="none")
    return CallToolResult(content=[], structured_content=seen.structured_content)


def _told(view: View) -> CallToolResult:
    """Return *view* as structure alone: the page reads no text."""
    fields: dict[str, Any] = view.model_dump(mode="json")
    return CallToolResult(content=[], structured_content=fields)
