"""The catalogue: which models there are, and whether their host has the files for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.errors import (
    BackendUnreachable,
    BadRequest,
    BadWorkflow,
    ComfygenError,
    MissingModel,
    UnexpectedReply,
)
from comfygen_mcp.graph.catalogue import Catalogue as NodeCatalogue
from comfygen_mcp.graph.check import check_links
from comfygen_mcp.graph.files import files_of
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.shown import listed
from comfygen_mcp.graph.template import fill, substitution_map
from comfygen_mcp.models import Graph, Host, Kind, Record, RequiredFile, Scalar
from comfygen_mcp.services.look import Look
from comfygen_mcp.services.offers import Offer, Offers
from comfygen_mcp.together import together

LOOK_S = 12.0
"""How long one look at a host may take; starting the embedded engine is part of it."""

State = Literal["ready", "missing files", "missing nodes", "unreachable", "broken"]

PROBE_VALUES: dict[str, Scalar] = {
    "prompt": "",
    "negative": "",
    "seed": 1,
    "width": 1024,
    "height": 1024,
    **dict.fromkeys(("image", "image2", "image3", "mask"), "input.png"),
}
"""Stand-ins for the request when a template is filled only to see what it would load."""


class Readiness(Record):
    """Whether an offer can run now; *reason* says what is wrong and what to do."""

    state: State
    host: str
    preview_engine: bool = False
    missing: tuple[RequiredFile, ...] = ()
    reason: str = ""


class Catalogue:
    """Answers what is installed where; lists of files are asked for anew after a few seconds."""

    def __init__(self, *, offers: Offers, clients: Clients, preferred: str | None) -> None:
        self._offers = offers
        self._clients = clients
        self._preferred = preferred
        self._last_defaults: dict[Kind, str] = {}

    async def readiness(self, offer: Offer) -> Readiness:
        """Look at the host of *offer*; every failure becomes a state with its reason."""
        return await self._readiness(offer, Look(self._clients))

    async def readiness_of_all(self, offers: list[Offer]) -> list[Readiness]:
        """Judge all of *offers* by one look at their hosts."""
        look = Look(self._clients)
        return await together(self._readiness(offer, look) for offer in offers)

    async def default(self, kind: Kind = "txt2img") -> Offer:
        """Return the model for a request that names none.

        The configured default where it can do *kind*, else the last choice, else the best-ranked one whose
        files are installed.
        """
        if self._preferred is not None:
            named = self._offers.find(self._preferred)
            if (preferred := self._offers.variant(named, kind)) is not None:
                return preferred
            if kind == "txt2img" and self._offers.does(named, "other"):
                return named
        if kind in self._last_defaults:
            return self._offers.find(self._last_defaults[kind])
        offers = [offer for offer in self._offers.all() if self._offers.does(offer, kind)]
        states = await self.readiness_of_all(offers)
        for offer, readiness in zip(offers, states, strict=True):
            if readiness.state == "ready":
                self._last_defaults[kind] = offer.name
                return offer
        raise _nothing_ready(offers, states, kind)

    async def ready(self, kind: Kind) -> list[Offer]:
        """Return the models of *kind* whose files are installed, best first."""
        offers = [offer for offer in self._offers.all() if self._offers.does(offer, kind)]
        states = await self.readiness_of_all(offers)
        return [offer for offer, state in zip(offers, states, strict=True) if state.state == "ready"]

    def forget_default(self) -> None:
        """Choose anew next time: a last choice turned out not to be installed any more."""
        self._last_defaults.clear()

    async def _readiness(self, offer: Offer, look: Look) -> Readiness:
        source = self._offers.source(offer)
        try:
            workflow = self._offers.workflow(offer)
            graph = _probe(offer, workflow)
            # Slots and types are the server's to tell.
            check_links(graph, NodeCatalogue())
        except ComfygenError as reason:
            return Readiness(state="broken", host=source.address, reason=str(reason))
        try:
            async with answering(source.address):
                host = await source.host()
                preview = (await look.facts(host)).preview_engine
                wanted = files_of(graph, workflow.metadata.requires)
                judged = await _judged(look, host, graph, wanted)
        except (BackendUnreachable, UnexpectedReply) as reason:
            return Readiness(state="unreachable", host=source.address, reason=str(reason))
        return judged.model_copy(update={"preview_engine": preview})


async def _judged(look: Look, host: Host, graph: Graph, wanted: tuple[RequiredFile, ...]) -> Readiness:
    """Return whether *host* can run *graph*: first its model files, then its nodes, then its links."""
    if missing := await look.missing(host, wanted):
        return Readiness(state="missing files", host=host.url, missing=missing, reason=missing_text(missing))
    declared, lacking = await look.classes(host, graph)
    if lacking:
        return Readiness(state="missing nodes", host=host.url, reason=_lacking_text(host, lacking))
    try:
        check_links(graph, declared)
    except BadWorkflow as reason:
        return Readiness(state="broken", host=host.url, reason=str(reason))
    return Readiness(state="ready", host=host.url)


@asynccontextmanager
async def answering(address: str) -> AsyncGenerator[None]:
    """Bound a look at a host: a tool answers before its client gives up, whatever the host does."""
    try:
        async with asyncio.timeout(LOOK_S):
            yield
    except TimeoutError:
        raise BackendUnreachable(
            f"ComfyUI at {address} did not answer within {LOOK_S:.0f} s. It may be asleep, or busy loading a "
            "model: look again in a moment, or check the host."
        ) from None


def wanted_files(offer: Offer, workflow: Workflow) -> tuple[RequiredFile, ...]:
    """Return the model files that *offer* loads, from its filled template.

    Raises BadWorkflow when the template cannot be filled from the block and its defaults.
    """
    return files_of(_probe(offer, workflow), workflow.metadata.requires)


def _probe(offer: Offer, workflow: Workflow) -> Graph:
    """Return the template as *offer* fills it, with stand-ins for the request."""
    values = substitution_map(
        request=PROBE_VALUES,
        preset={},
        block=offer.block.template_values(),
        defaults=workflow.metadata.defaults,
    )
    return fill(workflow.graph, values)


def _lacking_text(host: Host, classes: tuple[str, ...]) -> str:
    what = "node class" if len(classes) == 1 else "node classes"
    return (
        f"ComfyUI at {host.url} lacks the {what} {listed(classes)}. Install the node pack there, update "
        "ComfyUI, or use another workflow."
    )


def missing_text(missing: tuple[RequiredFile, ...]) -> str:
    """Return one sentence a person can act on: which file, which folder, where from."""
    lines = [
        f"{entry.file} in models/{entry.folder}/" + (f" (download: {entry.url})" if entry.url else "")
        for entry in missing
    ]
    return "Not installed: " + "; ".join(lines)


def _nothing_ready(offers: list[Offer], states: list[Readiness], kind: Kind) -> ComfygenError:
    if not offers:
        return BadRequest(
            f"There is no model for {kind}: no backend is configured for it, and there is no such workflow."
        )
    unreachable = next((s for s in states if s.state == "unreachable"), None)
    if unreachable is not None:
        return BackendUnreachable(unreachable.reason)
    missing = next(((o, s) for o, s in zip(offers, states, strict=True) if s.state == "missing files"), None)
    if missing is None:
        return BadWorkflow(states[0].reason)
    return MissingModel(
        f"None of the {len(offers)} known models for {kind} is completely installed at {missing[1].host}. "
        f"Nearest to start with: {missing[0].name}. {missing[1].reason}. See docs/models.md for all."
    )
