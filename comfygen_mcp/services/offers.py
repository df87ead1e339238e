"""Offers: everything that `model` can name - configured backends and bundled workflows."""

from collections.abc import Mapping

from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.config import BackendBlock, Settings
from comfygen_mcp.errors import BadConfiguration, BadRequest, ComfygenError, UnknownName
from comfygen_mcp.graph.kinds import answers
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Kind, Record, Scalar

IMPLICIT_BLOCK = BackendBlock()
"""The block of a bundled workflow that nobody configured: the template's own values, nothing else."""


class Offer(Record):
    """One choosable model: a name, the workflow behind it, and the YAML block that tunes it."""

    name: str
    aliases: tuple[str, ...]
    workflow: str
    block: BackendBlock
    configured: bool
    address: str


class Offers:
    """Finds offers by name; knows nothing of networks."""

    def __init__(
        self,
        *,
        settings: Settings,
        library: WorkflowLibrary,
        configured: Mapping[str, HostSource],
        default: HostSource,
    ) -> None:
        self._settings = settings
        self._library = library
        self._configured = configured
        self._default = default

    @property
    def default_source(self) -> HostSource:
        """Where everything runs that has no block of its own."""
        return self._default

    def all(self) -> list[Offer]:
        """Return configured backends first, then every workflow no block already has the name of."""
        configured = [self._of_block(name) for name in self._settings.backends]
        taken = {offer.name for offer in configured}
        ranked = sorted(self._library.all(), key=lambda w: (w.metadata.rank, w.name))
        return configured + [self.of_workflow(w) for w in ranked if w.name not in taken]

    def find(self, name: str) -> Offer:
        """Return the offer called *name* or having it as an alias; raises UnknownName."""
        if name in self._settings.backends:
            return self._of_block(name)
        try:
            return self.of_workflow(self._library.load(name, allow_paths=False))
        except BadRequest as reason:
            known = [*(o.name for o in self.all()), *(a for o in self.all() for a in o.aliases)]
            hint = "list_models (or `comfygen models`) tells what each can do."
            raise UnknownName("model", name, known, hint=hint) from reason

    def broken(self) -> list[Offer]:
        """Return the workflow files that cannot be used, each as the offer that it would be."""
        return [self._of_broken(file.file) for file in self._library.broken()]

    def reason(self, offer: Offer) -> str | None:
        """Return why the workflow of *offer* cannot be used, or None when it can."""
        known = {file.file: file.reason for file in self._library.broken()}
        if offer.workflow in known:
            return known[offer.workflow]
        try:
            self.workflow(offer)
        except ComfygenError as reason:
            return str(reason)
        return None

    def variant(self, offer: Offer, kind: Kind) -> Offer | None:
        """Return *offer* with the workflow of its family that does *kind*; None when there is none.

        Of a configured block only those values go along that mean the same to both workflows: a model file
        that the other one does not load would be the wrong one.
        """
        own = self.workflow(offer)
        if own.metadata.kind == kind:
            return offer
        other = next(
            (w for w in self._library.all() if w.family == own.family and w.metadata.kind == kind), None
        )
        if other is None:
            return None
        if not offer.configured:
            return self.of_workflow(other)
        block = _carried(offer.block, own.metadata.defaults, other.metadata.defaults)
        return offer.model_copy(update={"workflow": other.reference, "block": block})

    def does(self, offer: Offer, kind: Kind) -> bool:
        """Tell whether *offer* may be chosen for *kind*: it is of it, and uses what such calls bring.

        Broken text-to-image blocks count as such, so that the reason is told when nothing else is ready.
        """
        try:
            workflow = self._library.load(offer.workflow, allow_paths=True)
        except ComfygenError:
            return kind == "txt2img"
        return workflow.metadata.kind == kind and answers(kind, workflow.metadata, workflow.graph)

    def kinds(self, offer: Offer) -> tuple[Kind, ...]:
        """Return what *offer* can do, its own kind first, then those of its family's other workflows."""
        own = self.workflow(offer)
        return tuple(dict.fromkeys((own.metadata.kind, *(w.metadata.kind for w in self._family(own)))))

    def source(self, offer: Offer) -> HostSource:
        return self.source_of(offer.name)

    def source_of(self, name: str) -> HostSource:
        """Return where the offer called *name* runs: its block's host, else the default one."""
        return self._configured.get(name, self._default)

    def workflow(self, offer: Offer) -> Workflow:
        """Load the workflow of *offer*; raises BadWorkflow or UnknownName as the library does.

        A configured backend says itself which model file it runs with: without one, BadConfiguration.
        """
        workflow = self._library.load(offer.workflow, allow_paths=True)
        if offer.configured and offer.block.model is None and "model" in placeholders(workflow.graph):
            usual = workflow.metadata.defaults.get("model", "the file's name")
            raise BadConfiguration(
                f"Backend {offer.name!r} names no model, and its workflow {workflow.name} loads one. "
                f"Add `model: {usual}` to its block in comfygen.yaml."
            )
        return workflow

    def _family(self, own: Workflow) -> list[Workflow]:
        return [other for other in self._library.all() if other.family == own.family]

    def _of_block(self, name: str) -> Offer:
        block = self._settings.backends[name]
        return Offer(
            name=name,
            aliases=(),
            workflow=block.workflow,
            block=block,
            configured=True,
            address=self._configured[name].address,
        )

    def _of_broken(self, file: str) -> Offer:
        return Offer(
            name=file,
            aliases=(),
            workflow=file,
            block=IMPLICIT_BLOCK,
            configured=False,
            address=self._default.address,
        )

    def of_workflow(self, workflow: Workflow) -> Offer:
        """Return the offer of a workflow file on the default host, whoever named it."""
        return Offer(
            # A block of the same name is another backend, on a host of its own.
            name=workflow.file if workflow.name in self._settings.backends else workflow.name,
            aliases=workflow.metadata.aliases,
            workflow=workflow.reference,
            block=IMPLICIT_BLOCK,
            configured=False,
            address=self._default.address,
        )


def _carried(block: BackendBlock, own: Mapping[str, Scalar], other: Mapping[str, Scalar]) -> BackendBlock:
    """Return *block* with only those knobs that have the same default in both workflows."""
    shared = {name for name in {*own, *other} if own.get(name) == other.get(name)}
    fields = ["model", *(name for name in BackendBlock.model_fields if name.startswith("default_"))]
    dropped: dict[str, Scalar | None] = {
        name: None for name in fields if name.removeprefix("default_") not in shared
    }
    if "model" in dropped:
        dropped["model"] = other.get("model")
    knobs = {name: value for name, value in block.knobs.items() if name in shared or name not in own}
    return block.model_copy(update={**dropped, "knobs": knobs})


def model_file(offer: Offer, workflow: Workflow) -> str:
    """Return the model file that *offer* runs with (the block's, else the template's), or "" without one."""
    return str(offer.block.model or workflow.metadata.defaults.get("model", ""))
