"""resolve: a request becomes a Job - every blank filled, the seed drawn, the id given."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from comfygen_mcp.graph.advice import settings_warnings
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import Place, placeholders, substitution_map
from comfygen_mcp.ids import new_job_id
from comfygen_mcp.models import SEED_JSON_SAFE, InputFile, Job, JsonValue, Kind, LoraUse, Record, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.presets import Presets, apply_style, preset_values
from comfygen_mcp.services.measures import SIZED_BY_INPUT, measured
from comfygen_mcp.services.offers import Offer, model_file
from comfygen_mcp.services.recipe import Recipe, recipe_of
from comfygen_mcp.services.request_checks import check_request, check_texts, parse_seed
from comfygen_mcp.services.request_values import given_values
from comfygen_mcp.services.used_values import Outcome, asked_values, split_step, unused_notes, used_values

VIDEO_KINDS = ("txt2video", "img2video")


class Brought(Record):
    """What was read and looked up for a request: its input pictures, their size, its LoRAs as installed."""

    files: tuple[InputFile, ...] = ()
    size: tuple[int, int] | None = None
    loras: tuple[LoraUse, ...] = ()
    parent_id: str | None = None
    notes: tuple[str, ...] = ()


NOTHING = Brought()


class Resolver:
    """Holds what every request is resolved against; *now* and *draw* are the only chance in it."""

    def __init__(
        self,
        *,
        presets: Presets,
        timeout_image_s: float,
        timeout_video_s: float,
        now: Callable[[], datetime],
        draw: Callable[[], int] = lambda: 1 + secrets.randbelow(SEED_JSON_SAFE - 1),
    ) -> None:
        self._presets = presets
        self._timeout_image_s = timeout_image_s
        self._timeout_video_s = timeout_video_s
        self._now = now
        self._draw = draw

    def resolve(
        self, request: GenerateRequest, offer: Offer, workflow: Workflow, brought: Brought = NOTHING
    ) -> Job:
        """Return the Job of *request*; raises BadRequest or UnknownName before anything is sent."""
        settled = self._settled(request, offer, workflow, brought)
        now = self._now()
        return Job(
            id=new_job_id(now),
            created_at=now,
            kind=workflow.metadata.kind,
            backend=offer.name,
            workflow=workflow.reference,
            style=request.style,
            preset=request.preset,
            loras=brought.loras,
            inputs=brought.files,
            values=settled.used,
            overrides=settled.overrides,
            graph=request.graph,
            timeout_s=offer.block.timeout_s or self._timeout_of(workflow, settled.recipe.count),
            metadata=request.metadata,
            parent_id=request.parent_id or brought.parent_id,
            group_id=request.group_id,
            caller=request.caller,
            owner=request.owner,
            notes=settled.notes,
            **dict(settled.recipe),
        )

    def usual_timeout_s(self, kind: Kind, count: int = 1) -> float:
        """Return how long *count* outputs of *kind* may take by the settings."""
        one = self._timeout_video_s if kind in VIDEO_KINDS else self._timeout_image_s
        return one * count

    def _settled(
        self, request: GenerateRequest, offer: Offer, workflow: Workflow, brought: Brought
    ) -> "_Settled":
        given = given_values(request, workflow)
        request = given.request
        known = placeholders(workflow.graph)
        check_request(request, prompt_wanted=_is_filled("prompt", known, given.overrides))
        check_texts({**given.values, **given.overrides})
        prompt, negative = self._styled(request)
        preset, notes = self._preset(request, workflow)
        values = substitution_map(
            request={**asked_values(request, prompt=prompt, negative=negative), **given.values},
            preset=preset,
            block=offer.block.template_values(),
            defaults=workflow.metadata.defaults,
        )
        measures = measured(request, preset, values, workflow, brought.size)
        uploads = {file.placeholder: file.name for file in brought.files}
        seed = parse_seed(request.seed) or self._draw()
        complete = {**values, **measures.values(), "seed": seed, **uploads, **split_step(values, workflow)}
        used = used_values(workflow, complete)
        overrides = {**given.overrides, **{name: uploads[name] for name in uploads if name not in known}}
        by_input = brought.size if workflow.metadata.kind in SIZED_BY_INPUT else None
        model = model_file(offer, workflow)
        recipe = recipe_of(workflow, used, overrides, seed=seed, model=model, by_input=by_input)
        notes = (*notes, *brought.notes, *measures.notes, *self._warnings(request, workflow, complete))
        outcome = Outcome(workflow.metadata.kind, used, recipe, sized_by_input=by_input is not None)
        unused = unused_notes(request, preset, outcome)
        return _Settled(used=used, overrides=overrides, recipe=recipe, notes=(*notes, *unused))

    def _styled(self, request: GenerateRequest) -> tuple[str, str]:
        negative = request.negative or ""
        if request.style is None:
            return request.prompt, negative
        return apply_style(self._presets.style(request.style), request.prompt, negative)

    def _warnings(
        self, request: GenerateRequest, workflow: Workflow, values: Mapping[str, Scalar]
    ) -> tuple[str, ...]:
        """Return the workflow's advice on what the caller chose; a style's negative is nobody's mistake."""
        return settings_warnings(workflow, {**values, "negative": request.negative or ""})

    def _preset(
        self, request: GenerateRequest, workflow: Workflow
    ) -> tuple[Mapping[str, Scalar], tuple[str, ...]]:
        if request.preset is None:
            return {}, ()
        preset = self._presets.preset(request.preset)
        return preset_values(
            preset, distilled=not _like_sd(workflow), force=request.force_preset, name=request.preset
        )

    def _timeout_of(self, workflow: Workflow, count: int) -> float:
        most = min(count, workflow.metadata.limits.max_count)
        return self.usual_timeout_s(workflow.metadata.kind, most)


class _Settled(Record):
    """All that a request comes to: what fills the template, what is set besides, and what both make."""

    used: dict[str, Scalar]
    overrides: dict[str, JsonValue]
    recipe: Recipe
    notes: tuple[str, ...]


def _is_filled(name: str, known: Mapping[str, tuple[Place, ...]], overrides: Mapping[str, JsonValue]) -> bool:
    """Tell whether a placeholder is left that *overrides* do not replace."""
    return any(f"{place.node}.{place.input}" not in overrides for place in known.get(name, ()))


def _like_sd(workflow: Workflow) -> bool:
    """Tell whether settings made for SD-class models suit *workflow*; of an unknown one nobody says no."""
    metadata = workflow.metadata
    return not metadata.distilled and metadata.architecture in (None, "sd15", "sdxl")
