"""The tool that makes a stored picture again, exactly or with changes."""

import time
from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadRequest, MissingModel, StoreFailed
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import Generation
from comfygen_mcp.services.regeneration import wanted_seed
from comfygen_mcp.services.regeneration_check import Reproduction, changes_between, reproduction_of
from comfygen_mcp.services.regeneration_request import Changes
from comfygen_mcp.tools.arguments import DryRun, Preview, SameLoras, Steps, WaitSeconds
from comfygen_mcp.tools.attendance import attend
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import OUTPUTS_SHOWN, JobView, job_view
from comfygen_mcp.tools.results import job_result, plan_result, raise_if_failed, structured
from comfygen_mcp.tools.sharing import as_seen, is_hidden, parent_seen
from comfygen_mcp.tools.untrusted import NOTICE, harmless, plain


class RegenerationView(JobView):
    """A job that repeats another: *changes* are those of its recipe, *reproduction* tells how it came out.

    *reproduction* is None while it is running, and where something was changed.
    """

    untrusted: str = NOTICE
    changes: tuple[str, ...] = ()
    reproduction: Reproduction | None = None


async def regenerate(  # noqa: PLR0913, PLR0917 - each argument is one knob of the recipe
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    generation_id: str,
    prompt: str | None = None,
    negative: str | None = None,
    model: str | None = None,
    size: str | None = None,
    count: int | None = None,
    seed: Annotated[int | str | None, Field(description="0: a new one")] = None,
    steps: Steps = None,
    cfg: float | None = None,
    sampler: str | None = None,
    scheduler: str | None = None,
    loras: SameLoras = None,
    denoise: float | None = None,
    dry_run: DryRun = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Repeat a stored picture's graph and seed, and tell whether it came out identical.

    Or change what is given. Stored as its child.
    """
    began = time.monotonic()
    original = await app.gallery.find(generation_id, visible_to=app.owner)
    changes = Changes(
        prompt=prompt,
        negative=negative,
        model=model,
        size=size,
        count=count,
        seed=wanted_seed(seed),
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        scheduler=scheduler,
        loras=None if loras is None else parse_loras(loras),
        denoise=denoise,
    )
    if dry_run:
        return plan_result(await app.regeneration.plan(original, changes))
    started = await app.regeneration.start(original, changes, caller=caller, owner=app.owner)
    bound = app.settings.wait_s if wait_s is None else wait_s
    state = await attend(
        app,
        ctx,
        started.job.id,
        wait_s=max(bound - (time.monotonic() - began), 0),
        owner=True,
        announcement=started.announcement,
    )
    raise_with_advice(state)
    result = await job_result(app, state, show_preview=preview != "none", announcement=started.announcement)
    announcement = None if state.finished else started.announcement
    view = await regeneration_view(app, original, state, most=OUTPUTS_SHOWN, announcement=announcement)
    told = [TextContent(type="text", text=line) for line in outcome_lines(original, state, view)]
    return structured([result.content[0], *told, *result.content[1:]], view)


async def regeneration_view(
    app: App,
    original: Generation,
    state: JobState,
    *,
    most: int | None,
    announcement: str | None = None,
) -> RegenerationView:
    """Return the job with what was changed, or how it came out; *most* outputs are listed."""
    job = state.job
    checked = [await reproduction(app, generation) for generation in state.generations]
    return RegenerationView(
        **harmless((await job_view(state, app, most=most, announcement=announcement)).model_dump()),
        changes=() if job.verbatim else tuple(map(plain, changes_between(original.job, job))),
        reproduction=next((found for found in checked if found is not None), None),
    )


def outcome_lines(original: Generation, state: JobState, view: RegenerationView) -> list[str]:
    """Return what is said of a regeneration beyond what every job says."""
    if view.reproduction is not None:
        return [reproduction_text(view.reproduction)]
    if view.changes:
        return [f"Changed from {original.id}: {'; '.join(view.changes)}."]
    waiting = state.job.verbatim and not state.finished
    return ["get_generation will tell whether it came out identical."] if waiting else []


def raise_with_advice(state: JobState) -> None:
    """Raise what ended the job; where a file is missing, with the way around."""
    try:
        raise_if_failed(state)
    except MissingModel as missing:
        raise MissingModel(
            f"{missing} Or give another model or other loras to make it with those."
        ) from missing


async def reproduction(app: App, generation: Generation) -> Reproduction | None:
    """Return how *generation* came out beside the original that it repeats; None when it repeats none."""
    if not generation.job.verbatim or generation.parent_id is None:
        return None
    try:
        original = await app.gallery.find(generation.parent_id, visible_to=app.owner)
    except (BadRequest, StoreFailed):
        hidden = await is_hidden(generation.parent_id, app)
        return Reproduction(
            original_id=await parent_seen(generation, app),
            outcome="not compared",
            differences=("The original is not yours to see" if hidden else "The original is gone",),
        )
    if original.index != generation.index:
        return None
    first, again = await as_seen(original, app), await as_seen(generation, app)
    return await reproduction_of(first, again, app.gallery.read_output)


def reproduction_text(found: Reproduction) -> str:
    """Return the outcome in a sentence, and what may explain it."""
    changed = "; ".join(found.differences)
    match found.outcome:
        case "identical bytes":
            told = f"Identical to {found.original_id}, byte for byte."
        case "identical pixels":
            told = f"Identical pixels to {found.original_id}; the files differ only in their metadata."
        case "different":
            by = (
                "in size"
                if found.mean_difference is None
                else f"by {found.mean_difference:g} of 255 on average"
            )
            told = f"NOT identical to {found.original_id}: the pixels differ {by}."
            changed = changed or (
                "nothing known; another GPU, driver or version of a node, or another file under the same name"
            )
        case "not compared":
            told = f"Not compared with {found.original_id or 'its original'}."
    return f"{told} What differs: {changed}." if changed else told
