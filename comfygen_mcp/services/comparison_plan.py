"""The planning of a comparison: models found, one seed drawn, values checked, before anything is sent."""

import secrets
from collections.abc import Callable
from datetime import datetime

from comfygen_mcp import ids
from comfygen_mcp.compare import Axes, Cell, CompareRequest, Comparison
from comfygen_mcp.compare_plan import planned_cells, varying
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.shown import listed
from comfygen_mcp.models import SEED_JSON_SAFE, Limits
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.presets import Presets
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.request_checks import check_request, parse_seed
from comfygen_mcp.sizes import resolve_size

_ANY_SIZE = Limits(multiple_of=1, min_edge=1, max_edge=10**9, max_pixels=10**18)
"""Each model has its own limits; here only what is no size at all is refused."""

MODELS_NAMED = 5
"""Of those that could be compared."""


class ComparisonPlanner:
    """Turns requests into comparisons that only need to be started."""

    def __init__(
        self,
        *,
        offers: Offers,
        catalogue: Catalogue,
        presets: Presets,
        now: Callable[[], datetime],
        draw: Callable[[], int] = lambda: 1 + secrets.randbelow(SEED_JSON_SAFE - 1),
    ) -> None:
        self._offers = offers
        self._catalogue = catalogue
        self._presets = presets
        self._now = now
        self._draw = draw

    async def planned(self, request: CompareRequest) -> Comparison:
        """Return the cells of *request*; raises BadRequest or UnknownName for what no model can do."""
        self._check(request, request.axes)
        models = await self._models(request.axes)
        axes = request.axes.model_copy(update={"models": models, "seeds": self._seeds(request.axes)})
        cells = planned_cells(request.prompt, axes)
        for cell in cells:
            check_request(_checked_part(request, cell))
        now = self._now()
        return Comparison(
            id=ids.new_job_id(now),
            created_at=now,
            request=request.model_copy(update={"axes": axes}),
            axes=varying(axes),
            cells=cells,
            notes=_without_lora(axes),
        )

    async def not_ready(self, comparison: Comparison) -> tuple[str, ...]:
        """Return a line for each model that cannot run now."""
        offers = [self._offers.find(name) for name in dict.fromkeys(c.backend for c in comparison.cells)]
        states = await self._catalogue.readiness_of_all(offers)
        return tuple(
            f"{offer.name}: {state.state}: {state.reason}"
            for offer, state in zip(offers, states, strict=True)
            if state.state != "ready"
        )

    def host_of(self, model: str) -> str:
        """Return what the hosts of models are told apart by: one GPU makes one cell at a time."""
        try:
            address = self._offers.find(model).address
        except BadRequest:
            # A resumed comparison may name a model that is no longer configured: its cells will say so.
            return ""
        return address.casefold().replace("//localhost", "//127.0.0.1")

    def _check(self, request: CompareRequest, axes: Axes) -> None:
        varying(axes)
        if request.style is not None:
            self._presets.style(request.style)
        for preset in axes.presets:
            if preset is not None:
                self._presets.preset(preset)
        if request.size is not None:
            resolve_size(
                size=request.size,
                width=None,
                height=None,
                default_width=1024,
                default_height=1024,
                limits=_ANY_SIZE,
            )

    async def _models(self, axes: Axes) -> tuple[str, ...]:
        """Return the models by the names of their backends, each once.

        Without any named: the default one when something else is compared, else all configured backends.
        """
        if axes.models:
            return tuple(dict.fromkeys(self._offers.find(name).name for name in axes.models))
        if varying(axes):
            return ((await self._catalogue.default("txt2img")).name,)
        configured = [
            offer.name
            for offer in self._offers.all()
            if offer.configured and self._offers.does(offer, "txt2img")
        ]
        if len(configured) > 1:
            return tuple(configured)
        ready = [offer.name for offer in await self._catalogue.ready("txt2img")]
        raise BadRequest(
            "There is nothing to compare yet. Name two or more models, or give an axis several values, for "
            'example {"steps": [4, 8]} (--steps 4,8). Installed models: '
            f"{listed(ready, MODELS_NAMED) or 'none'}."
        )

    def _seeds(self, axes: Axes) -> tuple[int, ...]:
        """Return the seeds as numbers; one is drawn for all cells when none is named."""
        seeds = [parse_seed(seed) or self._draw() for seed in axes.seeds or (None,)]
        return tuple(dict.fromkeys(seeds))


def _without_lora(axes: Axes) -> tuple[str, ...]:
    """Say that strengths turn nothing where there is no LoRA: the grid keeps those cells."""
    if len(axes.strengths) > 1 and any(not uses for uses in axes.loras):
        return ("Without a LoRA a strength changes nothing: the cells of LoRA none come out alike.",)
    return ()


def _checked_part(request: CompareRequest, cell: Cell) -> GenerateRequest:
    return GenerateRequest(
        prompt=request.prompt, negative=request.negative, seed=cell.seed, steps=cell.steps, cfg=cell.cfg
    )
