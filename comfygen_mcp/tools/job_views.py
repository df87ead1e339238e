"""The view of a job: what was asked, where it stands, what came out - or what a dry run would have sent."""

from typing import Literal

from comfygen_mcp.app import App
from comfygen_mcp.graph.diff import Change
from comfygen_mcp.graph.validate import Problem
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Graph, JobStatus
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.tools.views import OutputView, RecipeView, View, output_view, recipe_of, waiting_notes


class ProgressView(View):
    """How far a running job is."""

    message: str
    step: int | None
    steps: int | None
    percent: int
    queue_position: int | None
    eta_s: float | None


class PlanView(View):
    """What a dry run would have sent: the graph, how it differs from its template, what would be refused."""

    graph: Graph
    changes: list[Change]
    problems: list[Problem]
    checked_against: str


class JobView(RecipeView):
    """A job; `planned` is one that a dry run stopped at."""

    status: JobStatus | Literal["planned"]
    outputs: list[OutputView]
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
    plan: PlanView | None = None


async def job_view(state: JobState, app: App) -> JobView:
    """Return *state* for a model to read."""
    job = state.job
    first = state.generations[0] if state.generations else None
    notes = [*(first.notes if first else job.notes), *waiting_notes(state.generations, app)]
    return JobView(
        **recipe_of(job),
        status=state.status,
        outputs=[await output_view(generation, app) for generation in state.generations],
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
        next=_next(state),
    )


def plan_view(plan: Plan) -> JobView:
    """Return what was not sent, in the form of a job."""
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
        plan=PlanView(
            graph=plan.graph,
            changes=list(plan.changes),
            problems=list(plan.problems),
            checked_against=plan.checked_against,
        ),
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


def _next(state: JobState) -> str | None:
    if not state.finished:
        return f"call get_job(job_id={state.job.id!r}, wait_s=45) for the result, or cancel_job"
    return None
