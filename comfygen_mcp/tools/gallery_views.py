"""What the gallery looks like to a model: compact rows, with all stored text made harmless."""

from collections.abc import Sequence

from comfygen_mcp.app import App
from comfygen_mcp.index.base import Entry, Page
from comfygen_mcp.models import SEED_JSON_SAFE
from comfygen_mcp.tools.sharing import entries_seen
from comfygen_mcp.tools.untrusted import NOTICE, plain, quoted
from comfygen_mcp.tools.views import View, download_url

PROMPT_SHOWN = 160
PROMPT_TOLD = 100
"""Characters of a prompt in a row of the structure, and in a line of the text."""


class RowView(View):
    """One stored picture; *row* numbers it on the preview. What it does not have is left out.

    *model* is the name that it was asked for by. *path* is there where the caller shares the disk.
    """

    row: int
    id: str
    date: str
    kind: str
    model: str
    prompt: str
    seed: int
    seed_text: str | None = None
    size: str = ""
    loras: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    score: float | None = None
    media: str = "image"
    parent_id: str | None = None
    group_id: str | None = None
    shared: bool = False
    preview_engine: bool = False
    path: str | None = None
    url: str | None = None


class SearchView(View):
    """A page of the gallery; *cursor* leads to the next one. *more* says that *total* is only a minimum."""

    untrusted: str = ""
    entries: list[RowView]
    total: int | None = None
    more: bool = False
    cursor: str | None = None


async def search_view(page: Page, app: App) -> SearchView:
    seen = await entries_seen(page.entries, app)
    rows = [await row_view(entry, app, number) for number, entry in enumerate(seen, start=1)]
    return SearchView(
        untrusted=NOTICE if rows else "",
        entries=rows,
        total=page.total,
        more=page.more,
        cursor=page.cursor,
    )


async def row_view(entry: Entry, app: App, number: int) -> RowView:
    path = app.store.local_path(entry.key) if app.file_url is None else None
    return RowView(
        row=number,
        id=entry.id,
        date=f"{entry.created_at:%Y-%m-%dT%H:%M:%SZ}",
        kind=entry.kind,
        model=entry.backend or entry.model,
        prompt=shortened(entry.prompt),
        seed=entry.seed,
        seed_text=str(entry.seed) if entry.seed >= SEED_JSON_SAFE else None,
        size=f"{entry.width}x{entry.height}" if entry.width else "",
        loras=entry.loras,
        tags=tuple(plain(tag) for tag in entry.tags),
        score=entry.score,
        media=entry.media,
        parent_id=entry.parent_id,
        group_id=entry.group_id,
        shared=entry.shared,
        preview_engine=entry.preview_engine,
        path=str(path) if path else None,
        url=None if path else await link_of(entry, app),
    )


async def link_of(entry: Entry, app: App) -> str:
    """Return a URL by which the caller can fetch the stored file."""
    link = await download_url(entry, app)
    return link or await app.store.link(entry.key, expires_s=app.settings.s3.link_expires_s)


def shortened(prompt: str) -> str:
    """Return the beginning of a prompt; get_generation has the whole of it."""
    words = plain(prompt)
    return words if len(words) <= PROMPT_SHOWN else f"{words[: PROMPT_SHOWN - 3]}..."


def rows_text(rows: Sequence[RowView]) -> list[str]:
    """Return each row in one line, with its stored text in quotes."""
    return [_line(row) for row in rows]


def _line(row: RowView) -> str:
    facts = [row.date[:16].replace("T", " "), row.model, row.size, f"seed {row.seed}"]
    facts += [row.kind] if row.kind != "txt2img" else []
    facts += ["preview engine"] if row.preview_engine else []
    facts += [f"tags {', '.join(quoted(tag, 60) for tag in row.tags)}"] if row.tags else []
    told = ", ".join(fact for fact in facts if fact)
    return f"{row.row}. {row.id} ({told}): {quoted(row.prompt, PROMPT_TOLD)}"
