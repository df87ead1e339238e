"""The listing of models: all of them, one in detail, or the best for a task."""

from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BackendUnreachable, ComfygenError, UnexpectedReply
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.services.catalogue import Catalogue, answering
from comfygen_mcp.services.model_view import ModelView, in_detail, model_view
from comfygen_mcp.services.offers import Offer, Offers
from comfygen_mcp.services.recommend import recommend

_SAMPLING_NODE = "KSampler"
"""The node class whose inputs list every sampler and scheduler of a server."""
_INPUTS = {"sampler": "sampler_name", "scheduler": "scheduler"}


class Listing:
    """Looks at hosts and tells; nothing here changes anything."""

    def __init__(self, *, offers: Offers, catalogue: Catalogue, nodes: NodeClasses) -> None:
        self._offers = offers
        self._catalogue = catalogue
        self._nodes = nodes

    async def models(self) -> list[ModelView]:
        """Return every model with its readiness, configured ones first, then by rank."""
        listed = self._offers.all()
        states = await self._catalogue.readiness_of_all(listed)
        return [model_view(self._offers, *pair) for pair in zip(listed, states, strict=True)]

    async def recommended(self, task: str) -> list[ModelView]:
        """Return the models for *task*, ready ones first, each with why; raises UnknownName."""
        return recommend(task, await self.models())

    async def model(self, name: str) -> ModelView:
        """Return all there is to say about one model; raises UnknownName."""
        offer = self._offers.find(name)
        view = model_view(self._offers, offer, await self._catalogue.readiness(offer))
        try:
            workflow = self._offers.workflow(offer)
        except ComfygenError:
            return view
        return in_detail(view, workflow.metadata).model_copy(update=await self._offered(offer, workflow))

    async def _offered(self, offer: Offer, workflow: Workflow) -> dict[str, tuple[str, ...]]:
        """Return the samplers and schedulers that the server has, for those knobs that the workflow has."""
        knobs = [knob for knob in _INPUTS if knob in placeholders(workflow.graph)]
        source = self._offers.source(offer)
        found: dict[str, tuple[str, ...]] = {}
        try:
            async with answering(source.address):
                host = await source.host()
                for knob in knobs:
                    options = await self._nodes.options(host, _SAMPLING_NODE, _INPUTS[knob])
                    found[f"{knob}s"] = tuple(map(str, options))
        except (BackendUnreachable, UnexpectedReply):
            return {}
        return found
