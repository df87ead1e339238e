"""Regeneration: a stored picture once more, exactly or with changes, as the child of its original."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.parse import CUSTOM, custom_workflow
from comfygen_mcp.ids import new_job_id
from comfygen_mcp.models import SEED_JSON_SAFE, Generation, Job
from comfygen_mcp.services.generation import GenerationService, Started
from comfygen_mcp.services.inputs import NO_INPUTS, PreparedInputs
from comfygen_mcp.services.measures import SIZED_BY_INPUT
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.services.preparation import Preparation, Ready
from comfygen_mcp.services.regeneration_recipes import Recipes
from comfygen_mcp.services.regeneration_request import (
    Changes,
    by_graph,
    by_other_model,
    by_template,
    fit,
    in_old_size,
)
from comfygen_mcp.services.request_checks import parse_seed


class Regeneration:
    """Makes jobs from stored generations."""

    def __init__(
        self,
        *,
        preparation: Preparation,
        generation: GenerationService,
        offers: Offers,
        recipes: Recipes,
        shelf: InputShelf,
        now: Callable[[], datetime],
    ) -> None:
        self._preparation = preparation
        self._generation = generation
        self._offers = offers
        self._recipes = recipes
        self._shelf = shelf
        self._now = now

    async def start(
        self, original: Generation, changes: Changes, *, caller: str | None = None, owner: str | None = None
    ) -> Started:
        """Begin a job that makes *original* again, with *changes*; raises BadRequest when it cannot be."""
        ready = await self._ready(original, changes)
        job = ready.job.model_copy(update={"caller": caller, "owner": owner})
        return await self._generation.begin(replace(ready, job=job))

    async def plan(self, original: Generation, changes: Changes) -> Plan:
        """Return what `start` would submit; nothing is sent."""
        return await self._preparation.plan(await self._ready(original, changes))

    async def _ready(self, original: Generation, changes: Changes) -> Ready:
        if changes.model is not None and not self._is_own_model(changes.model, original):
            return await self._by_other_model(original, changes)
        if not original.graph:
            raise BadRequest(
                f"Generation {original.id} came here without its ComfyUI graph, so it cannot be made again "
                "as it was. Give a model: it makes a new picture of the same prompt, seed and shape."
            )
        changes = changes.model_copy(update={"model": None})
        return await self._changed(original, changes) if changes.given else self._again(original)

    def _is_own_model(self, name: str, original: Generation) -> bool:
        return self._offers.find(name).name == original.backend

    def _again(self, original: Generation) -> Ready:
        """Return a job that submits the stored graph as it is."""
        self._recipes.check_allowed(original.graph, original.job)
        now = self._now()
        again = {
            "id": new_job_id(now),
            "created_at": now,
            "backend": original.backend,
            "graph": original.graph,
            "verbatim": True,
            "metadata": True,
            "parent_id": original.id,
            "group_id": None,
            "timeout_s": self._preparation.timeout_s(original),
            "notes": self._moved(original),
        }
        workflow = custom_workflow(original.graph)
        offer = self._offers.of_workflow(workflow).model_copy(update={"name": original.backend})
        return Ready(offer, workflow, NO_INPUTS, original.job.model_copy(update=again))

    async def _changed(self, original: Generation, changes: Changes) -> Ready:
        """Return a job of the workflow that made *original*, else of its stored graph, with *changes*."""
        job, template = original.job, self._recipes.template(original)
        reshaped = changes.size is not None and original.kind in SIZED_BY_INPUT
        backend = original.backend if self._is_configured(original.backend) else None
        prompt, notes = self._recipes.prompt(original, changes.prompt)
        if template is None or not fit(changes, template, sized_by_input=reshaped):
            self._recipes.check_allowed(original.graph, job)
            request = by_graph(original, changes, model=backend, prompt=prompt)
            ready = await self._preparation.ready(request, allow_paths=False)
            ready = replace(ready, job=ready.job.model_copy(update={"inputs": job.inputs}))
            notes += _added_loras(original, changes)
        else:
            if job.graph is not None:
                self._recipes.check_allowed(template.graph, job)
            pictures = await self._pictures(job) if reshaped else {}
            request = by_template(
                original, changes, template, model=backend, prompt=prompt, pictures=pictures
            )
            kept = None if pictures else PreparedInputs(files=job.inputs, size=in_old_size(job.inputs))
            ready = await self._preparation.ready(request, allow_paths=False, pictures=kept)
            ready = ready if pictures else replace(ready, pictures=NO_INPUTS)
        return _as_before(ready, original, changes, (*self._moved(original), *notes))

    async def _by_other_model(self, original: Generation, changes: Changes) -> Ready:
        prompt, notes = self._recipes.prompt(original, changes.prompt)
        pictures = await self._pictures(original.job)
        request = by_other_model(original, changes, prompt=prompt, pictures=pictures)
        ready = await self._preparation.ready(request, allow_paths=False)
        if original.job.loras and changes.loras is None:
            names = ", ".join(use.name for use in original.job.loras)
            notes += (f"LoRAs of the original are left out, being made for its model: {names}.",)
        job = _seeded(ready.job, original.seed if changes.seed is None else changes.seed)
        return replace(ready, job=job.model_copy(update={"notes": (*job.notes, *notes)}))

    async def _pictures(self, job: Job) -> dict[str, bytes]:
        return {file.placeholder: await self._shelf.read(file) for file in job.inputs}

    def _is_configured(self, name: str) -> bool:
        return any(offer.configured and offer.name == name for offer in self._offers.all())

    def _moved(self, original: Generation) -> tuple[str, ...]:
        """Say where it runs now when the backend that made *original* is not there any more."""
        # A caller's own graph belongs to no offer, and runs on the default host.
        known = {"", CUSTOM, *(offer.name for offer in self._offers.all())}
        if original.backend in known:
            return ()
        address = self._offers.default_source.address
        return (f"Backend {original.backend!r} is no longer configured: this runs at {address}.",)


def wanted_seed(seed: int | str | None) -> int | None:
    """Return the seed to use: None for "as it was", a new one for 0 and -1."""
    return None if seed is None else parse_seed(seed) or 1 + secrets.randbelow(SEED_JSON_SAFE - 1)


def _as_before(ready: Ready, original: Generation, changes: Changes, notes: tuple[str, ...]) -> Ready:
    """Return *ready* with what the record says beyond the request, and the seed 0 where it was 0."""
    job = _seeded(ready.job, original.seed) if changes.seed is None else ready.job
    old = original.job
    kept = {
        "kind": old.kind,
        "model": old.model,
        "workflow": old.workflow,
        "style": old.style,
        "preset": None if changes.sampling else old.preset,
        "notes": (*job.notes, *notes),
    }
    return replace(ready, job=job.model_copy(update=kept))


def _seeded(job: Job, seed: int) -> Job:
    """Set the seed past the request, where 0 would mean a new one."""
    values = {**job.values, "seed": seed} if "seed" in job.values else job.values
    return job.model_copy(update={"seed": seed, "values": values})


def _added_loras(original: Generation, changes: Changes) -> tuple[str, ...]:
    if changes.loras is None or not original.loras:
        return ()
    return ("The LoRAs of the stored graph stay; those given come before them.",)
