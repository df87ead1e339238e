"""The view of a job: what was asked, where it stands, what came out - or what a dry run would have sent."""

from typing import Literal

from comfygen_mcp.app import App
from comfygen_mcp.graph.diff import Change
from comfygen_mcp.graph.validate import Problem
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Graph, JobStatus
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.tools.bounds import bounded_changes, bounded_graph
from comfygen_mcp.tools.views import (
    OutputView,
    RecipeView,
    View,
    output_view,
    recipe_of,
    waiting_notes,
    workflow_name,
)

OUTPUTS_SHOWN = 32
"""Outputs of one job that a result lists; batches have 16 at most, graphs of one's own may have thousands."""
PROBLEMS_SHOWN = 50


class ProgressView(View):
    """How far a running job is."""

    message: str
    step: int | None
    steps: int | None
    percent: int
    queue_position: int | None
    eta_s: float | None


class PlanView(View):
    """What a dry run would have sent: the graph, how it differs from its template, what would be refused.

    *left_out* says what is not shown, and how to see it.
    """

    graph: Graph | None
    changes: list[Change]
    problems: list[Problem]
    checked_against: str
    left_out: str = ""


class JobView(RecipeView):
    """A job; `planned` is one that a dry run stopped at.

    *more_outputs* counts those that are not listed. *announcement* tells of a long run how long it may take.
    """

    status: JobStatus | Literal["planned"]
    outputs: list[OutputView]
    more_outputs: int = 0
    latency_ms: int | None
    backend_type: str | None
    host: str | None
    prompt_id: str | None
    client_id: str | None
    vram_used_mib: int | None
    preview_engine: bool
    notes: list[str]
    progress: ProgressView | None
    error: str | None
    next: str | None
    announcement: str | None = None
    plan: PlanView | None = None


async def job_view(
    state: JobState, app: App, *, most: int | None = OUTPUTS_SHOWN, announcement: str | None = None
) -> JobView:
    """Return *state* for a model to read, with at most so many of its outputs (None: all)."""
    job = state.job
    shown = state.generations[:most]
    first = state.generations[0] if state.generations else None
    notes = [*(first.notes if first else job.notes), *waiting_notes(state.generations, app)]
    return JobView(
        **recipe_of(job),
        status=state.status,
        outputs=[await output_view(generation, app) for generation in shown],
        more_outputs=len(state.generations) - len(shown),
        latency_ms=first.timings.latency_ms if first else None,
        backend_type=first.backend_type if first else None,
        host=first.host if first else None,
        prompt_id=first.prompt_id if first else None,
        client_id=first.client_id if first else None,
        vram_used_mib=first.vram_used_mib if first else None,
        preview_engine=first.preview_engine if first else False,
        notes=notes,
        progress=_progress_view(state),
        error=state.error,
        next=_next(state, len(shown)),
        announcement=announcement,
    )


def plan_view(plan: Plan, *, whole: bool = False) -> JobView:
    """Return what was not sent, in the form of a job; *whole* leaves out nothing, however large."""
    return JobView(
        **recipe_of(plan.job),
        status="planned",
        outputs=[],
        latency_ms=None,
        backend_type=None,
        host=None,
        prompt_id=None,
        client_id=None,
        vram_used_mib=None,
        preview_engine=False,
        notes=list(plan.job.notes),
        progress=None,
        error=None,
        next="call again without dry_run to make it",
        plan=_whole_plan(plan) if whole else _bounded_plan(plan),
    )


def _whole_plan(plan: Plan) -> PlanView:
    return PlanView(
        graph=plan.graph,
        changes=list(plan.changes),
        problems=list(plan.problems),
        checked_against=plan.checked_against,
    )


def _bounded_plan(plan: Plan) -> PlanView:
    graph, left_out = bounded_graph(plan.graph)
    changes = bounded_changes(plan.changes)
    problems = list(plan.problems[:PROBLEMS_SHOWN])
    counts = ((len(changes), len(plan.changes), "changes"), (len(problems), len(plan.problems), "problems"))
    told = [left_out, *(f"{few} of {all_} {what} are shown." for few, all_, what in counts if few < all_)]
    if any(told):
        told.append("`comfygen generate` or `comfygen run` with --dry-run --json shows all.")
    return PlanView(
        graph=graph,
        changes=changes,
        problems=problems,
        checked_against=plan.checked_against,
        left_out=" ".join(filter(None, told)),
    )


def _progress_view(state: JobState) -> ProgressView | None:
    if state.finished or state.progress is None:
        return None
    progress = state.progress
    return ProgressView(
        message=progress.message,
        step=progress.step,
        steps=progress.steps,
        percent=round(progress.fraction * 100),
        queue_position=progress.queue_position,
        eta_s=progress.eta_s,
    )


def _next(state: JobState, shown: int) -> str | None:
    job = state.job
    if not state.finished:
        return f"call get_job(job_id={job.id!r}, wait_s=45) for the result, or cancel_job"
    if shown < len(state.generations):
        since = job.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        named = workflow_name(job.workflow).removesuffix(".json")
        return f"search_gallery(workflow={named!r}, since={since!r}) pages through all outputs"
    return None
