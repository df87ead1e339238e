"""The choice: which model, and which of its workflows, does what a request asks for."""

from collections.abc import Mapping

from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.parse import custom_workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Graph, Kind
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.offers import IMPLICIT_BLOCK, Offer, Offers

DOES: Mapping[Kind, str] = {
    "txt2img": "make a picture from text",
    "img2img": "make a picture from a picture",
    "inpaint": "repaint a masked part of a picture",
    "edit": "edit a picture by instruction",
    "upscale": "upscale a picture",
    "txt2video": "make a video from text",
    "img2video": "make a video from a picture",
    "other": "run",
}
"""What each kind of task is in words."""

ALSO_DONE_BY: Mapping[Kind, tuple[Kind, ...]] = {"img2img": ("edit",)}
"""Kinds that may stand in when the model named cannot do the one asked for."""
MEANT_BY_MODEL: Mapping[Kind, tuple[Kind, ...]] = {
    "txt2img": ("txt2video",),
    "img2img": ("edit", "img2video", "upscale"),
}
"""What a model that is named for nothing else may be meant for, by the same inputs."""


class Choice:
    """Chooses by what a request names, and else by what is ready."""

    def __init__(self, *, offers: Offers, library: WorkflowLibrary, catalogue: Catalogue) -> None:
        self._offers = offers
        self._library = library
        self._catalogue = catalogue

    async def of(self, request: GenerateRequest, *, allow_paths: bool) -> tuple[Offer, Workflow]:
        """Return the offer and the workflow to run; *allow_paths* lets `workflow` be a file of this machine.

        Raises BadRequest when what was named cannot do it: the message says who can.
        """
        if request.graph is not None:
            return self._of_graph(request, request.graph)
        if request.workflow is not None:
            return self._of_workflow(request, request.workflow, allow_paths=allow_paths)
        kind = wanted_kind(request)
        if request.model is None:
            offer = await self._catalogue.default(kind)
            return offer, self._offers.workflow(offer)
        also = MEANT_BY_MODEL if request.kind is None else ALSO_DONE_BY
        return await self._of_model(request.model, kind, also.get(kind, ()))

    async def _of_model(self, name: str, kind: Kind, also: tuple[Kind, ...]) -> tuple[Offer, Workflow]:
        offer = self._offers.find(name)
        own = self._offers.workflow(offer)
        if own.metadata.kind == "other":
            return offer, own
        for fitting in (kind, *also):
            if (found := self._offers.variant(offer, fitting)) is not None:
                return found, self._offers.workflow(found)
        raise BadRequest(await self._cannot(offer, kind))

    async def _cannot(self, offer: Offer, kind: Kind) -> str:
        can = ", ".join(DOES[able] for able in self._offers.kinds(offer))
        words = f"Model {offer.name} cannot {DOES[kind]}: it can {can}."
        ready = await self._catalogue.ready(kind)
        if ready:
            return f"{words} Installed models that can: {', '.join(other.name for other in ready)}."
        known = [other.name for other in self._offers.all() if self._offers.does(other, kind)]
        if not known:
            return f"{words} No known model can."
        return (
            f"{words} None that can is installed; known ones: {', '.join(known)}. "
            "list_models(model=...) tells which files each needs."
        )

    def _of_workflow(
        self, request: GenerateRequest, reference: str, *, allow_paths: bool
    ) -> tuple[Offer, Workflow]:
        workflow = self._library.load(reference, allow_paths=allow_paths, files_first=allow_paths)
        _check_inputs(request, workflow)
        if request.model is None:
            return self._offers.of_workflow(workflow), workflow
        offer = self._offers.find(request.model)
        if not offer.configured and offer.workflow != workflow.reference:
            raise BadRequest(
                f"model={request.model!r} and workflow={reference!r} are two different models. Give "
                "one of them; only a backend configured in comfygen.yaml runs another workflow."
            )
        return offer, workflow

    def _of_graph(self, request: GenerateRequest, graph: Graph) -> tuple[Offer, Workflow]:
        """Return the caller's own graph on the named backend's host, or on the default one."""
        if not graph:
            raise BadWorkflow("The graph is empty.")
        workflow = custom_workflow(graph)
        if request.model is not None:
            return self._offers.find(request.model), workflow
        address = self._offers.default_source.address
        offer = Offer(
            name=workflow.name,
            aliases=(),
            workflow=workflow.file,
            block=IMPLICIT_BLOCK,
            configured=False,
            address=address,
        )
        return offer, workflow


def wanted_kind(request: GenerateRequest) -> Kind:
    """Return the kind of task: the one named, else what the inputs tell."""
    if request.kind is not None:
        return request.kind
    if request.mask is not None or request.crop == "extend":
        return "inpaint"
    return "img2img" if request.images else "txt2img"


def _check_inputs(request: GenerateRequest, workflow: Workflow) -> None:
    """Raise BadRequest when a named workflow takes no picture or mask but one is given, or the reverse."""
    wanted = placeholders(workflow.graph)
    given = {"image": bool(request.images), "mask": request.mask is not None or request.crop == "extend"}
    does = DOES[workflow.metadata.kind]
    for name, there in given.items():
        if there and name not in wanted and not any("." in key for key in request.values):
            raise BadRequest(
                f"Workflow {workflow.name} takes no {name}: it can {does}. Leave workflow out, and a model "
                "that takes one is chosen, or name one from list_workflows."
            )
        if name in wanted and not there and name not in workflow.metadata.optional:
            raise BadRequest(
                f"Workflow {workflow.name} needs {name}: it can {does}. Give {name} as a path, URL, data URI "
                "or generation id."
            )
