"""Completions: the ids and names that begin with what somebody has typed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcp.types import Completion

from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.index.base import MAX_PAGE, Query

if TYPE_CHECKING:
    from comfygen_mcp.app import App

MOST = 100
"""Values that one answer may hold, by the protocol."""
PAGES_READ = 5
"""So many pages of the newest files are looked through for the comparisons that they belong to."""


async def completion(app: "App", argument: str, typed: str, *, template: str | None = None) -> Completion:
    """Return the values of the *argument* that begin with *typed*; none where that is unknown just now.

    *template* is the address that the argument belongs to: a `name` means something else in each.
    """
    try:
        values = await _values(app, _meant(argument, template), typed)
    except ComfygenError:
        # A host or a store that is away has no part in what can be typed.
        values = []
    return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


def _meant(argument: str, template: str | None) -> str:
    if argument != "name" or template is None:
        return argument
    return "preset" if template.startswith("comfygen://presets") else "workflow"


async def _values(app: "App", argument: str, typed: str) -> list[str]:
    match argument:
        case "generation_id" | "parent":
            return await app.gallery.beginning_with(typed, limit=MOST + 1, visible_to=app.owner)
        case "comparison_id":
            return _beginning(typed, await _comparisons(app))
        case "lora" | "loras":
            return _beginning(typed, await app.loras.names())
        case _:
            return _beginning(typed, _names(app, argument))


async def _comparisons(app: "App") -> list[str]:
    """Return the caller's comparisons: what runs here, then what its newest files were made for."""
    found = dict.fromkeys(state.comparison.id for state in app.comparisons.running(visible_to=app.owner))
    cursor = None
    for _ in range(PAGES_READ):
        page = await app.gallery.search(Query(visible_to=app.owner), limit=MAX_PAGE, cursor=cursor)
        # Of what others share, the files are the caller's to see, but not the comparison.
        own = (entry for entry in page.entries if app.owner in (None, entry.owner))
        found |= dict.fromkeys(entry.group_id for entry in own if entry.group_id is not None)
        cursor = page.cursor
        if cursor is None:
            break
    return list(found)


def _names(app: "App", argument: str) -> Iterable[str]:
    """Return what the configuration and the workflow files name; no host is asked."""
    offers = app.offers.all()
    match argument:
        case "model":
            return [name for offer in offers for name in (offer.name, *offer.aliases)]
        case "name":
            # Of an unknown address: whatever is called by a name there.
            return [*app.presets.presets, *_names(app, "workflow")]
        case "workflow":
            return [offer.workflow.removesuffix(".json") for offer in offers if "/" not in offer.workflow]
        case "preset":
            return app.presets.presets
        case "style":
            return app.presets.styles
        case _:
            return ()


def _beginning(typed: str, known: Iterable[str]) -> list[str]:
    """Return the names that begin so, with or without their folder; then those that hold it elsewhere."""
    wanted = typed.casefold()
    folded = {name: name.casefold().replace("\\", "/") for name in known}
    first = [
        name
        for name, low in folded.items()
        if low.startswith(wanted) or low.rpartition("/")[2].startswith(wanted)
    ]
    return [*first, *(name for name, low in folded.items() if wanted in low and name not in first)]
