"""What tools return as structured content: everything a model needs, and no bytes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from comfygen_mcp.app import App
from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import SEED_JSON_SAFE, Generation, Graph, Job, LoraUse
from comfygen_mcp.tools.bounds import bounded_graph
from comfygen_mcp.tools.sharing import is_handed_on

PROMPT_SHOWN = 1000
"""Characters of a prompt that are repeated in results; get_generation has the whole text."""
LONGEST_STORED_PROMPT = 20_000
LARGEST_STORED_GRAPH = 300_000


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


class InputView(View):
    """A picture that the job works on, in the size in which it was handed over."""

    placeholder: str
    origin: str
    width: int
    height: int


class RecipeView(View):
    """What was asked for, with every blank filled; *model* is the backend's name."""

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
    denoise: float | None
    count: int
    frames: int | None
    fps: float | None
    loras: list[LoraUse]
    inputs: list[InputView]
    parent_id: str | None


def recipe_of(job: Job) -> dict[str, Any]:
    """Return the fields of a RecipeView; a large seed is text too, because JSON readers round it."""
    alike = ("kind", "style", "preset", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height")
    return {
        **{name: getattr(job, name) for name in (*alike, "denoise", "count", "frames", "fps", "parent_id")},
        "job_id": job.id,
        "created_at": job.created_at,
        "model": job.backend,
        "model_file": job.model,
        "workflow": workflow_name(job.workflow),
        "prompt": shortened(job.prompt),
        "negative_prompt": shortened(job.negative_prompt),
        "seed_text": str(job.seed) if job.seed >= SEED_JSON_SAFE else None,
        "loras": list(job.loras),
        "inputs": [
            InputView(placeholder=file.placeholder, origin=file.origin, width=file.width, height=file.height)
            for file in job.inputs
        ],
    }


async def output_view(generation: Generation, app: App) -> OutputView:
    path = app.store.local_path(generation.key) if app.file_url is None else None
    return OutputView(
        generation_id=generation.id,
        uri=image_uri(generation.id),
        url=shown_url(generation, app),
        download_url=await download_url(generation, app),
        path=str(path) if path else None,
        media=generation.media,
        mime_type=generation.mime,
        width=generation.width,
        height=generation.height,
        size_bytes=generation.size_bytes,
        sha256=generation.sha256,
    )


async def download_url(stored: Generation | Entry, app: App) -> str | None:
    """Return the store's own link when it gives out one, else the HTTP service's.

    To others than the owner only the service's, which takes the graph out of the file.
    """
    if app.file_url and is_handed_on(stored.owner, app):
        return app.file_url(stored.key)
    link = await app.store.link(stored.key, expires_s=app.settings.s3.link_expires_s)
    if link.startswith(("http://", "https://")):
        return link
    return app.file_url(stored.key) if app.file_url else None


def waiting_notes(generations: Iterable[Generation], app: App) -> list[str]:
    """Return a note when any of *generations* is not where it belongs yet."""
    if not any(app.store.is_waiting(generation.key) for generation in generations):
        return []
    note = f"Stored locally for now, will be delivered to the {app.store.name} as soon as it answers. "
    return [note + "server_status tells how many files wait, and why."]


def shown_url(generation: Generation, app: App) -> str:
    """Return the canonical URL; a caller elsewhere gets the resource's, not a path of this machine."""
    local = generation.minio_url.startswith("file:") and app.file_url is not None
    hidden = local or is_handed_on(generation.owner, app)
    return image_uri(generation.id) if hidden else generation.minio_url


def image_uri(generation_id: str) -> str:
    return f"comfygen://generations/{generation_id}/image"


def shortened(text: str, longest: int = PROMPT_SHOWN) -> str:
    return text if len(text) <= longest else text[:longest] + f"... ({len(text):,} characters in all)"


def workflow_name(reference: str) -> str:
    """Return the file name of a workflow reference; where it lies is the server's own affair."""
    return reference.replace("\\", "/").rsplit("/", 1)[-1]


class GenerationView(RecipeView):
    """One stored file with its whole recipe; only prompts and graphs beyond all use are shortened."""

    output: OutputView
    backend_type: str
    host: str
    prompt_id: str
    client_id: str
    validation_score: float | None
    latency_ms: int
    comfyui_version: str | None
    vram_used_mib: int | None
    preview_engine: bool
    tags: list[str]
    cost_usd: float | None
    notes: list[str]
    graph_sha256: str
    graph: Graph | None


async def generation_view(generation: Generation, app: App, *, graph: Graph | None) -> GenerationView:
    alike = (
        *("backend_type", "host", "prompt_id", "client_id", "validation_score", "comfyui_version"),
        *("vram_used_mib", "preview_engine", "cost_usd", "graph_sha256"),
        # The stored record's own words, where the job has them too.
        *("kind", "workflow", "seed_text", "parent_id"),
    )
    prompts: dict[str, Any] = {
        name: shortened(getattr(generation, name), LONGEST_STORED_PROMPT)
        for name in ("prompt", "negative_prompt")
    }
    whole, left_out = (None, "") if graph is None else bounded_graph(graph, largest=LARGEST_STORED_GRAPH)
    return GenerationView(
        **{
            **recipe_of(generation.job),
            **{name: getattr(generation, name) for name in alike},
            **prompts,
        },
        output=await output_view(generation, app),
        latency_ms=generation.timings.latency_ms,
        tags=list(generation.tags),
        notes=[
            *generation.notes,
            *waiting_notes([generation], app),
            *([f"{left_out} The sidecar beside the file has all of it."] if left_out else []),
        ],
        graph=whole,
    )
