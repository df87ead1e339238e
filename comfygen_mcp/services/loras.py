"""LoRAs: from the names in a request to installed files, with notes on what will not work as meant."""

from collections.abc import Sequence

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.errors import BadRequest, BadWorkflow, MissingModel
from comfygen_mcp.graph.files import requirement
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.lora_names import matching_files, nearest_files
from comfygen_mcp.graph.shown import listed
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import Host, LoraUse
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.presets import Presets
from comfygen_mcp.services.catalogue import answering, wanted_files
from comfygen_mcp.services.lora_files import FOLDER, LoraFiles
from comfygen_mcp.services.lora_listing import LoraList, lora_list
from comfygen_mcp.services.lora_notes import Around, ResolvedLoras, resolved
from comfygen_mcp.services.offers import Offer, Offers

MOST_LORAS = 10
"""More than this in one job is a mistake: pictures are spoilt long before."""
LORAS_NAMED = 8
"""Of those installed, where none has a similar name."""


class LoraService:
    """Finds the files that names mean; every look at a host is bounded."""

    def __init__(
        self, *, offers: Offers, clients: Clients, presets: Presets, library: WorkflowLibrary
    ) -> None:
        self._offers = offers
        self._presets = presets
        self._library = library
        self._files = LoraFiles(clients)

    async def resolve(self, request: GenerateRequest, offer: Offer, workflow: Workflow) -> ResolvedLoras:
        """Return the LoRAs of *request* with the names of files on the host of *offer*.

        Those of its LoRA preset come first; an own one of the same file replaces them. Raises UnknownName
        (the preset), BadRequest (an unclear name, a strength out of range, too many) or MissingModel, the
        latter after the list of files was fetched anew.
        """
        preset = request.lora_preset
        first = () if preset is None else self._presets.lora_preset(preset).loras
        wanted = parse_loras([*first, *request.loras])
        if not wanted:
            return ResolvedLoras()
        _refuse_too_many(len(wanted))
        source = self._offers.source(offer)
        async with answering(source.address):
            host = await source.host()
            named = await self._named(host, wanted)
        uses = _replaced(named[: len(first)], named[len(first) :])
        facts = await self._files.facts(host, [use.name for use in uses])
        around = _around(request, offer, workflow)
        return resolved(uses, facts, around.model_copy(update={"built_in": self._built_in(workflow)}))

    async def listed(
        self, *, query: str | None = None, model: str | None = None, limit: int = 50
    ) -> LoraList:
        """Return what is installed on the host of *model*, with what is known of it; see `lora_list`."""
        return await lora_list(self._offers, self._files, query=query, model=model, limit=limit)

    async def names(self) -> list[str]:
        """Return the LoRA files of the default host."""
        source = self._offers.default_source
        async with answering(source.address):
            return list(await self._files.names(await source.host()))

    def _built_in(self, workflow: Workflow) -> dict[str, str]:
        """Return LoRA file → the model of the same kind and architecture that has it built in."""
        kin = (workflow.metadata.kind, workflow.metadata.architecture)
        return {
            entry.file: other.name
            for other in self._library.all()
            for entry in other.metadata.requires
            if entry.folder == FOLDER and (other.metadata.kind, other.metadata.architecture) == kin
        }

    async def _named(self, host: Host, uses: Sequence[LoraUse]) -> list[LoraUse]:
        names = await self._files.names(host)
        if any(not matching_files(use.name, names) for use in uses):
            names = await self._files.names(host, refresh=True)
        return [use.model_copy(update={"name": self._file(use.name, names)}) for use in uses]

    def _file(self, name: str, installed: Sequence[str]) -> str:
        match matching_files(name, installed):
            case (file,):
                return file
            case ():
                raise MissingModel(self._not_installed(name, installed))
            case found:
                more = f" and {len(found) - 10} more" if len(found) > 10 else ""
                raise BadRequest(
                    f"LoRA {name[:80]!r} may be any of {', '.join(found[:10])}{more}. Give one of these."
                )

    def _not_installed(self, name: str, installed: Sequence[str]) -> str:
        words = f"LoRA {name[:120]!r} is not in the server's models/{FOLDER}/."
        near = nearest_files(name, installed)
        if near:
            words += f" Nearest installed: {', '.join(near)}."
        elif installed:
            words += f" Installed: {listed(installed, LORAS_NAMED)}."
        else:
            words += " No LoRA is installed there."
        known = [entry for workflow in self._library.all() for entry in workflow.metadata.requires]
        entry = requirement(name, known) or requirement(f"{name}.safetensors", known)
        if entry is not None and entry.folder == FOLDER and entry.url:
            words += f" Download it from {entry.url} into models/{FOLDER}/."
        return f"{words} list_loras (or `comfygen loras`) shows what is installed."


def _refuse_too_many(count: int) -> None:
    if count > MOST_LORAS:
        raise BadRequest(
            f"{count} LoRAs are too many: at most {MOST_LORAS} go into one job, and more than three or four "
            "usually spoil the picture. Leave some out."
        )


def _replaced(preset: Sequence[LoraUse], own: Sequence[LoraUse]) -> list[LoraUse]:
    """Return the preset's LoRAs, less those that *own* has too, and *own* behind them."""
    files = {use.name for use in own}
    return [*(use for use in preset if use.name not in files), *own]


def _around(request: GenerateRequest, offer: Offer, workflow: Workflow) -> Around:
    settings = {**workflow.metadata.defaults, **offer.block.template_values()}
    # What a quality preset sets is decided later, so nothing is said about that.
    usual = {} if request.preset else settings
    steps, cfg = usual.get("steps"), usual.get("cfg")
    return Around(
        workflow=workflow.name,
        architecture=workflow.metadata.architecture,
        own=_own_files(offer, workflow),
        steps=request.steps or (steps if isinstance(steps, int) else None),
        cfg=request.cfg or (cfg if isinstance(cfg, int | float) else None),
    )


def _own_files(offer: Offer, workflow: Workflow) -> tuple[str, ...]:
    try:
        return tuple(entry.file for entry in wanted_files(offer, workflow) if entry.folder == FOLDER)
    except (BadRequest, BadWorkflow):
        # Values of the request may be all that is missing; whether they are is found out when it is filled.
        return ()
