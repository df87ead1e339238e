"""What a caller sees of what others shared: no graph, host or caller, and no id of what is not theirs."""

from collections.abc import Iterable

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation
from comfygen_mcp.services.gallery_zip import without_private


def is_handed_on(owner: str | None, app: App) -> bool:
    """Tell whether a record of *owner* is shown to somebody else, without what is private."""
    return app.owner not in {None, owner} and app.settings.strip_metadata != "never"


async def as_seen(generation: Generation, app: App) -> Generation:
    """Return the record as the caller of *app* may see it."""
    if app.owner is None:
        return generation
    parent = await parent_seen(generation, app)
    job = generation.job.model_copy(update={} if parent else {"parent_id": None})
    seen = generation.model_copy(update={"parent_id": parent, "job": job})
    return without_private(seen) if is_handed_on(generation.owner, app) else seen


async def entries_seen(entries: Iterable[Entry], app: App) -> list[Entry]:
    """Return *entries* without the ids of parents that the caller of *app* may not see."""
    if app.owner is None:
        return list(entries)
    return [entry.model_copy(update={"parent_id": await parent_seen(entry, app)}) for entry in entries]


async def parent_seen(record: Generation | Entry, app: App) -> str | None:
    """Return the id of what *record* was made from, None where there is none to tell the caller."""
    parent = record.parent_id
    if parent is None or app.owner is None or await _is_there(parent, app, visible_to=app.owner):
        return parent
    own_and_gone = record.owner == app.owner and not await is_hidden(parent, app)
    return parent if own_and_gone else None


async def is_hidden(generation_id: str, app: App) -> bool:
    """Tell whether it exists, and the caller of *app* may not see it."""
    if app.owner is None or await _is_there(generation_id, app, visible_to=app.owner):
        return False
    return await _is_there(generation_id, app, visible_to=None)


async def _is_there(generation_id: str, app: App, *, visible_to: str | None) -> bool:
    try:
        await app.gallery.entry(generation_id, visible_to=visible_to)
    except (BadRequest, StoreFailed):
        return False
    return True
