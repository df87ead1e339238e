"""Preparation: everything about a request is decided and looked up, before anything is stored or sent."""

from dataclasses import dataclass

from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.models import Generation, Job
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.choice import Choice
from comfygen_mcp.services.inputs import Inputs, PreparedInputs
from comfygen_mcp.services.loras import LoraService
from comfygen_mcp.services.offers import Offer, Offers
from comfygen_mcp.services.plans import Plan, plan
from comfygen_mcp.services.request_values import given_values
from comfygen_mcp.services.resolve import Brought, Resolver


@dataclass(frozen=True, slots=True)
class Ready:
    """A job with the model that runs it, and the pictures that it works on."""

    offer: Offer
    workflow: Workflow
    pictures: PreparedInputs
    job: Job


class Preparation:
    """Turns requests into jobs that only need to be started."""

    def __init__(
        self,
        *,
        offers: Offers,
        choice: Choice,
        inputs: Inputs,
        loras: LoraService,
        resolver: Resolver,
        nodes: NodeClasses,
    ) -> None:
        self._offers = offers
        self._choice = choice
        self._inputs = inputs
        self._loras = loras
        self._resolver = resolver
        self._nodes = nodes

    async def ready(
        self, request: GenerateRequest, *, allow_paths: bool, pictures: PreparedInputs | None = None
    ) -> Ready:
        """Decide everything about *request*; raises what is wrong with it.

        *pictures* are those of an earlier job, which take the place of the request's.
        """
        offer, workflow = await self._choice.of(request, allow_paths=allow_paths)
        if pictures is None:
            # A size among the parameters is the one that pictures are brought to.
            asked = given_values(request, workflow).request
            pictures = await self._inputs.prepare(asked, workflow, any_path=allow_paths)
        loras = await self._loras.resolve(request, offer, workflow)
        brought = Brought(
            files=pictures.files,
            size=pictures.size,
            parent_id=pictures.parent_id,
            loras=loras.loras,
            notes=(*pictures.notes, *loras.notes),
        )
        return Ready(offer, workflow, pictures, self._resolver.resolve(request, offer, workflow, brought))

    def timeout_s(self, old: Generation) -> float:
        """Return how long *old* may take when it is made again; 0 in a record of elsewhere means unknown."""
        return old.job.timeout_s or self._resolver.usual_timeout_s(old.kind, old.job.count)

    async def plan(self, ready: Ready) -> Plan:
        """Return the graph that would be sent, checked against the server's node classes."""
        return await plan(ready.job, ready.workflow, self._offers.source(ready.offer), self._nodes)

    async def keep(self, ready: Ready) -> None:
        """Store the pictures that the job works on, so that it can be run here, elsewhere and again."""
        await self._inputs.store(ready.pictures)
