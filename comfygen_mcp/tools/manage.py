"""Tools that change what is stored: tags, and deletion after the user was asked. Off unless configured."""

from typing import Annotated

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Resolve
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Entry
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.gallery_views import RowView, row_view
from comfygen_mcp.tools.untrusted import NOTICE, quoted
from comfygen_mcp.tools.views import View


class ChangedView(View):
    """A stored picture as it is now, or as it was before it was deleted."""

    untrusted: str = NOTICE
    generation: RowView
    deleted: bool


class Confirmation(BaseModel):
    """What the user is asked."""

    delete: bool = Field(description="Delete it for good")


async def confirmation(app: TheApp, ctx: Context, generation_id: str) -> Confirmation | Elicit[Confirmation]:
    """Ask the user where the client can."""
    entry = await app.gallery.entry(generation_id, visible_to=app.owner)
    if not can_ask(ctx):
        return Confirmation(delete=False)
    made = f"{entry.created_at:%Y-%m-%d %H:%M} with {entry.backend or entry.model}"
    return Elicit(
        f"Delete the stored picture {entry.id} for good? It was made {made}; its prompt: "
        f"{quoted(entry.prompt, 200)}",
        Confirmation,
    )


def can_ask(ctx: Context) -> bool:
    capabilities = ctx.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


async def tag_generation(
    app: TheApp, generation_id: str, add: list[str] | None = None, remove: list[str] | None = None
) -> Annotated[CallToolResult, ChangedView]:
    """Add tags to a stored picture and remove others. What has the tag 'keep' is never cleaned up."""
    if not add and not remove:
        raise BadRequest("Nothing to change: give tags to add, to remove, or both.")
    entry = await app.gallery.tag(
        generation_id, add=add or (), remove=remove or (), by=app.owner, visible_to=app.owner
    )
    tags = ", ".join(quoted(tag, 60) for tag in entry.tags) or "none"
    return await _changed(app, entry, f"Tags of {entry.id}: {tags}.", deleted=False)


async def delete_generation(
    app: TheApp,
    ctx: Context,
    generation_id: str,
    answer: Annotated[ElicitationResult[Confirmation], Resolve(confirmation)],
    confirm: Annotated[bool | None, Field(description="Needed where the user cannot be asked")] = None,
) -> Annotated[CallToolResult, ChangedView]:
    """Delete a stored picture and its recipe for good, after the user was asked."""
    if not can_ask(ctx) and not confirm:
        raise BadRequest(
            f"Nothing was deleted: deleting {generation_id} needs the user's word. Ask, then call again with "
            "confirm=true."
        )
    if can_ask(ctx) and not (isinstance(answer, AcceptedElicitation) and answer.data.delete):
        raise BadRequest(f"The user did not agree to delete {generation_id}: nothing was deleted.")
    entry = await app.gallery.delete(generation_id, by=app.owner, visible_to=app.owner)
    return await _changed(app, entry, f"Deleted {entry.id}.", deleted=True)


async def _changed(app: App, entry: Entry, text: str, *, deleted: bool) -> CallToolResult:
    row = await row_view(entry, app, 1)
    shown = row.model_copy(update={"path": None, "url": None}) if deleted else row
    view = ChangedView(generation=shown, deleted=deleted)
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=view.model_dump(mode="json"),
    )
