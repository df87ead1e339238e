"""What the gallery page is told: cards of the grid, and the recipe behind one.

Seeds are text: JavaScript rounds large numbers.
"""

from collections.abc import Iterable
from datetime import datetime

from comfygen_mcp.index.base import Entry, Facet
from comfygen_mcp.models import Generation, LoraUse
from comfygen_mcp.tools.untrusted import plain
from comfygen_mcp.tools.views import View, workflow_name

CARD_PROMPT = 300
"""Characters of a prompt on a card; the recipe has the whole of it."""
FACETS: tuple[Facet, ...] = ("backend", "kind", "tag", "lora")
"""What the page offers as filters."""


class Card(View):
    """One tile of the grid."""

    id: str
    created_at: datetime
    prompt: str
    model: str
    kind: str
    media: str
    mime: str
    width: int | None
    height: int | None
    size_bytes: int
    seed: str
    tags: list[str]
    score: float | None
    group_id: str | None
    parent_id: str | None
    shared: bool
    preview_engine: bool


class CardPage(View):
    """Cards in order; *cursor* leads on. First pages know *total*; *more* says that it is a minimum."""

    cards: list[Card]
    cursor: str | None
    total: int | None
    more: bool


class Recipe(View):
    """All that made one file. *download_url* is there over HTTP; the file's own place never is."""

    card: Card
    prompt: str
    negative_prompt: str
    model_file: str
    workflow: str
    style: str | None
    preset: str | None
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    denoise: float | None
    frames: int | None
    fps: float | None
    loras: list[LoraUse]
    latency_ms: int
    comfyui_version: str | None
    notes: list[str]
    children: list[Card]
    file_name: str
    download_url: str | None = None


def card_of(entry: Entry) -> Card:
    """Return the tile of *entry*."""
    alike = (
        *("id", "created_at", "kind", "media", "mime", "width", "height", "size_bytes", "score"),
        *("group_id", "parent_id", "shared", "preview_engine"),
    )
    prompt = plain(entry.prompt)
    return Card(
        **{name: getattr(entry, name) for name in alike},
        prompt=prompt if len(prompt) <= CARD_PROMPT else f"{prompt[: CARD_PROMPT - 1]}…",
        model=entry.backend or entry.model,
        seed=str(entry.seed),
        tags=[plain(tag) for tag in entry.tags],
    )


def recipe_of_card(
    entry: Entry, generation: Generation, children: Iterable[Entry], *, download_url: str | None = None
) -> Recipe:
    """Return what made *entry*, as its sidecar, *generation*, tells."""
    alike = ("style", "preset", "steps", "cfg", "sampler", "scheduler", "loras", "comfyui_version")
    job = generation.job
    return Recipe(
        **{name: getattr(generation, name) for name in alike},
        card=card_of(entry),
        prompt=plain(generation.prompt),
        negative_prompt=plain(generation.negative_prompt),
        model_file=generation.model,
        workflow=workflow_name(generation.workflow),
        denoise=job.denoise,
        frames=job.frames,
        fps=job.fps,
        latency_ms=generation.timings.latency_ms,
        notes=[plain(note) for note in generation.notes],
        children=[card_of(child) for child in children],
        file_name=generation.key.rsplit("/", 1)[-1],
        download_url=download_url,
    )
