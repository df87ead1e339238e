"""What tools return as structured content: everything a model needs, and no bytes."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from comfygen_mcp.app import App
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import SEED_JSON_SAFE, Generation, Graph, JobStatus, LoraUse

PROMPT_SHOWN = 1000
"""Characters of a prompt that are repeated in results; get_generation has the whole text."""


class View(BaseModel):
    """Base of the views."""

    model_config = ConfigDict(frozen=True)


class OutputView(View):
    """One stored file: *url* never changes, *download_url* expires.

    *path* is there where the caller shares the disk that it is on, *download_url* where it does not.
    """

    generation_id: str
    uri: str
    url: str
    download_url: str | None
    path: str | None
    media: str
    mime_type: str
    width: int | None
    height: int | None
    size_bytes: int
    sha256: str


class ProgressView(View):
    """How far a running job is."""

    message: str
    step: int | None
    steps: int | None
    percent: int
    queue_position: int | None
    eta_s: float | None


class JobView(View):
    """A job: what was asked, where it stands, what came out."""

    status: JobStatus
    job_id: str
    created_at: datetime
    kind: str
    model: str
    model_file: str
    workflow: str
    prompt: str
    negative_prompt: str
    style: str | None
    preset: str | None
    seed: int
    seed_text: str | None
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    width: int | None
    height: int | None
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


async def job_view(state: JobState, app: App) -> JobView:
    """Return *state* for a model to read; large seeds are text too, because JSON readers round them."""
    job = state.job
    first = state.generations[0] if state.generations else None
    notes = [*(first.notes if first else job.notes), *_waiting_notes(state.generations, app)]
    return JobView(
        status=state.status,
        job_id=job.id,
        created_at=job.created_at,
        kind=job.kind,
        model=job.backend,
        model_file=job.model,
        workflow=workflow_name(job.workflow),
        prompt=shortened(job.prompt),
        negative_prompt=shortened(job.negative_prompt),
        style=job.style,
        preset=job.preset,
        seed=job.seed,
        seed_text=str(job.seed) if job.seed >= SEED_JSON_SAFE else None,
        steps=job.steps,
        cfg=job.cfg,
        sampler=job.sampler,
        scheduler=job.scheduler,
        width=job.width,
        height=job.height,
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


async def output_view(generation: Generation, app: App) -> OutputView:
    path = app.store.local_path(generation.key) if app.file_url is None else None
    return OutputView(
        generation_id=generation.id,
        uri=image_uri(generation.id),
        url=shown_url(generation, app),
        download_url=await _download_url(generation, app),
        path=str(path) if path else None,
        media=generation.media,
        mime_type=generation.mime,
        width=generation.width,
        height=generation.height,
        size_bytes=generation.size_bytes,
        sha256=generation.sha256,
    )


async def _download_url(generation: Generation, app: App) -> str | None:
    """Return the store's own link when it gives out one, else the HTTP service's."""
    link = await app.store.link(generation.key, expires_s=app.settings.s3.link_expires_s)
    if link.startswith(("http://", "https://")):
        return link
    return app.file_url(generation.key) if app.file_url else None


def _waiting_notes(generations: Iterable[Generation], app: App) -> list[str]:
    """Return a note when any of *generations* is not where it belongs yet."""
    if not any(app.store.is_waiting(generation.key) for generation in generations):
        return []
    note = f"Stored locally for now, will be delivered to the {app.store.name} as soon as it answers. "
    return [note + "server_status tells how many files wait, and why."]


def shown_url(generation: Generation, app: App) -> str:
    """Return the canonical URL; a caller elsewhere gets the resource's, not a path of this machine."""
    local = generation.minio_url.startswith("file:")
    return image_uri(generation.id) if local and app.file_url else generation.minio_url


def image_uri(generation_id: str) -> str:
    return f"comfygen://generations/{generation_id}/image"


def shortened(text: str) -> str:
    return (
        text if len(text) <= PROMPT_SHOWN else text[:PROMPT_SHOWN] + f"... ({len(text):,} characters in all)"
    )


def workflow_name(reference: str) -> str:
    """Return the file name of a workflow reference; where it lies is the server's own affair."""
    return reference.replace("\\", "/").rsplit("/", 1)[-1]


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


class GenerationView(View):
    """One stored file with its whole recipe."""

    output: OutputView
    job_id: str
    created_at: datetime
    kind: str
    backend: str
    backend_type: str
    model_file: str
    host: str
    prompt_id: str
    client_id: str
    workflow: str
    prompt: str
    negative_prompt: str
    style: str | None
    preset: str | None
    seed: int
    seed_text: str | None
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    loras: list[LoraUse]
    validation_score: float | None
    latency_ms: int
    comfyui_version: str | None
    vram_used_mib: int | None
    preview_engine: bool
    parent_id: str | None
    tags: list[str]
    cost_usd: float | None
    notes: list[str]
    graph_sha256: str
    graph: Graph | None


async def generation_view(generation: Generation, app: App, *, graph: Graph | None) -> GenerationView:
    return GenerationView(
        output=await output_view(generation, app),
        job_id=generation.job_id,
        created_at=generation.timestamp,
        kind=generation.kind,
        backend=generation.backend,
        backend_type=generation.backend_type,
        prompt_id=generation.prompt_id,
        client_id=generation.client_id,
        model_file=generation.model,
        host=generation.host,
        workflow=generation.workflow,
        prompt=generation.prompt,
        negative_prompt=generation.negative_prompt,
        style=generation.style,
        preset=generation.preset,
        seed=generation.seed,
        seed_text=generation.seed_text,
        steps=generation.steps,
        cfg=generation.cfg,
        sampler=generation.sampler,
        scheduler=generation.scheduler,
        loras=list(generation.loras),
        validation_score=generation.validation_score,
        latency_ms=generation.timings.latency_ms,
        comfyui_version=generation.comfyui_version,
        vram_used_mib=generation.vram_used_mib,
        preview_engine=generation.preview_engine,
        parent_id=generation.parent_id,
        tags=list(generation.tags),
        cost_usd=generation.cost_usd,
        notes=[*generation.notes, *_waiting_notes([generation], app)],
        graph_sha256=generation.graph_sha256,
        graph=graph,
    )
