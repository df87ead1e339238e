"""Completions: the ids and names that begin with what somebody has typed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcp.types import Completion

from comfygen_mcp.errors import ComfygenError

if TYPE_CHECKING:
    from comfygen_mcp.app import App

MOST = 100
"""Values that one answer may hold, by the protocol."""


async def completion(app: "App", argument: str, typed: str) -> Completion:
    """Return the values of the *argument* that begin with *typed*; none where that is unknown just now."""
    try:
        values = await _values(app, argument, typed)
    except ComfygenError:
        # A host or a store that is away has no part in what can be typed.
        values = []
    return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


async def _values(app: "App", argument: str, typed: str) -> list[str]:
    match argument:
        case "generation_id" | "parent":
            return await app.gallery.beginning_with(typed, limit=MOST + 1, visible_to=app.owner)
        case "lora" | "loras":
            return _beginning(typed, await app.loras.names())
        case _:
            return _beginning(typed, _names(app, argument))


def _names(app: "App", argument: str) -> Iterable[str]:
    """Return what the configuration and the workflow files name; no host is asked."""
    offers = app.offers.all()
    match argument:
        case "model":
            return [name for offer in offers for name in (offer.name, *offer.aliases)]
        case "name" | "workflow":
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
