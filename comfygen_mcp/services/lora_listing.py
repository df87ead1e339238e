"""The listing of LoRAs: which are installed, what each is made for, and whether it fits a model."""

from collections.abc import Sequence

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.lora_facts import LoraFacts, fits, lora_facts
from comfygen_mcp.graph.lora_names import nearest_files
from comfygen_mcp.graph.lora_strength import strength_advice
from comfygen_mcp.graph.metadata import Architecture
from comfygen_mcp.models import LoraTarget, Record
from comfygen_mcp.services.catalogue import answering
from comfygen_mcp.services.lora_files import LoraFiles
from comfygen_mcp.services.offers import Offers

MOST_SHOWN = 200


class LoraView(Record):
    """One installed LoRA; *base* "" and *fits* None mean that nobody knows.

    *guessed* marks a base that only the file's name tells.
    """

    name: str
    base: str = ""
    guessed: bool = False
    fits: bool | None = None
    strength: str = ""
    trigger_words: tuple[str, ...] = ()
    stage: LoraTarget | None = None
    title: str = ""


class LoraList(Record):
    """Those shown of *total* that match; *nearest* are like the query when none does."""

    host: str
    total: int
    architecture: Architecture | None = None
    loras: tuple[LoraView, ...] = ()
    nearest: tuple[str, ...] = ()


async def lora_list(
    offers: Offers, files: LoraFiles, *, query: str | None, model: str | None, limit: int
) -> LoraList:
    """Return the LoRAs on the host of *model*, those that fit it first.

    All words of *query* must be in a file's name; metadata is fetched only for what is shown. Raises
    UnknownName for a model that is none.
    """
    if not 1 <= limit <= MOST_SHOWN:
        raise BadRequest(f"limit={limit} is not possible: use 1 to {MOST_SHOWN}, and a query for the rest.")
    source, architecture = offers.default_source, None
    if model is not None:
        offer = offers.find(model)
        source = offers.source(offer)
        architecture = offers.workflow(offer).metadata.architecture
    async with answering(source.address):
        host = await source.host()
        # Asked anew, so that a file installed a moment ago is there.
        names = await files.names(host, refresh=True)
    matching = _matching(names, query or "")
    # Names alone decide who is looked at, whole files then in which order they are told.
    likely = sorted(matching, key=lambda name: _order(fits(lora_facts(name, {}).base, architecture)))
    facts = await files.facts(host, likely[:limit])
    views = [_view(name, told, architecture) for name, told in facts.items()]
    return LoraList(
        host=host.url,
        total=len(matching),
        architecture=architecture,
        loras=tuple(sorted(views, key=lambda view: _order(view.fits))),
        nearest=() if matching else tuple(nearest_files(query or "", names)),
    )


def _matching(names: Sequence[str], query: str) -> list[str]:
    words = query.casefold().split()
    return [name for name in names if all(word in name.casefold() for word in words)]


def _order(fit: bool | None) -> int:
    """Those that fit come first, those of which nobody knows before those that do not."""
    return {True: 0, None: 1, False: 2}[fit]


def _view(name: str, facts: LoraFacts, architecture: Architecture | None) -> LoraView:
    return LoraView(
        name=name,
        base=facts.base,
        guessed=facts.base_from_name,
        fits=fits(facts.base, architecture),
        strength=strength_advice(facts),
        trigger_words=facts.trigger_words,
        stage=facts.stage,
        title=facts.title,
    )
