"""What `comfygen gallery search`, `show` and `open` print: rows, recipes, small pictures."""

import json
import subprocess
import sys
from collections.abc import Sequence

import typer
from anyio import to_thread

from comfygen_mcp import sidecar
from comfygen_mcp.app import App
from comfygen_mcp.cli.session import Options, opened
from comfygen_mcp.errors import ComfygenError, StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation
from comfygen_mcp.services.gallery_search import Filters

UNKNOWN = "unknown"
"""What an imported record says where nothing is known."""
OPENED_S = 5.0
"""After so long a program that still runs has opened the file."""


async def search_gallery(
    options: Options,
    filters: Filters,
    *,
    limit: int,
    cursor: str | None,
    thumbnails: bool,
    as_json: bool,
) -> None:
    from comfygen_mcp.tools.gallery import found
    from comfygen_mcp.tools.gallery_views import search_view

    async with opened(options) as app:
        filters = await with_whole_group(app, filters)
        page = await found(app, filters, limit=limit, cursor=cursor)
        if as_json:
            view = await search_view(page, app)
            typer.echo(json.dumps(view.model_dump(mode="json"), indent=2, ensure_ascii=False))
            return
        await _print_rows(app, page.entries, thumbnails=thumbnails)
    if not page.entries:
        typer.echo("Nothing in the gallery matches.", err=True)
    elif page.total is not None and page.total > len(page.entries):
        more = "more than " if page.more else ""
        typer.echo(f"{len(page.entries)} of {more}{page.total:,}", err=True)
    if page.cursor:
        typer.echo(f"next page: --cursor {page.cursor}", err=True)


async def with_whole_group(app: App, filters: Filters) -> Filters:
    """Return *filters* with the whole id of the comparison whose beginning was given."""
    if filters.group is None or sidecar.span_of(filters.group) is None:
        return filters
    state = await app.comparisons.find(filters.group)
    return filters.model_copy(update={"group": state.comparison.id})


async def show_generation(
    options: Options, generation_id: str, *, graph: bool, thumbnails: bool, as_json: bool
) -> None:
    from comfygen_mcp.tools.generation import children_of
    from comfygen_mcp.tools.views import generation_view

    async with opened(options) as app:
        generation = await app.gallery.find(generation_id)
        if graph:
            typer.echo(json.dumps(generation.graph, indent=2, ensure_ascii=False))
            return
        view = await generation_view(generation, app, graph=None)
        children = await children_of(app, generation)
        if as_json:
            told = {**view.model_dump(mode="json"), "children": children}
            typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
            return
        entry = await app.gallery.entry(generation.id)
        if thumbnails:
            typer.echo(await _picture(app, entry), nl=False)
        place = view.output.path or view.output.download_url or view.output.url
        for name, value in _facts(generation, entry, children, place):
            typer.echo(f"{name + ':':<12}{value}")


async def open_generation(options: Options, generation_id: str) -> None:
    async with opened(options) as app:
        entry = await app.gallery.entry(generation_id)
        path = app.store.local_path(entry.key)
        link = await app.store.link(entry.key, expires_s=app.settings.s3.link_expires_s)
        if path is not None and not path.is_file():
            raise StoreFailed(f"The file of generation {entry.id} is no longer there.")
    place = str(path) if path else link
    typer.echo(place)
    if not await to_thread.run_sync(_launched, place):
        raise ComfygenError("It could not be opened: no program here shows it. Its place is printed above.")


async def _print_rows(app: App, entries: Sequence[Entry], *, thumbnails: bool) -> None:
    from comfygen_mcp.cli.tables import show_table
    from comfygen_mcp.cli.thumbnails import here

    if thumbnails and here() != "none":
        for entry in entries:
            typer.echo(await _picture(app, entry), nl=False)
            typer.echo(f"{'  '.join(part for part in _row(entry) if part)}\n")
    elif entries:
        columns = ("id", "made", "model", "size", "seed", "kind", "tags", "prompt")
        show_table(columns, [_row(entry) for entry in entries])


async def _picture(app: App, entry: Entry) -> str:
    from comfygen_mcp.cli.thumbnails import here, thumbnail_text
    from comfygen_mcp.tools.app_search import small

    way = here()
    if way == "none":
        return ""
    try:
        data = await small(app, entry, 256)
    except StoreFailed:
        return ""
    return "" if data is None else thumbnail_text(data, way)


def _row(entry: Entry) -> tuple[str, ...]:
    from comfygen_mcp.tools.untrusted import plain

    prompt = " ".join(plain(entry.prompt).split())
    return (
        entry.id,
        f"{entry.created_at.astimezone():%Y-%m-%d %H:%M}",
        entry.backend or entry.model,
        f"{entry.width}x{entry.height}" if entry.width else "",
        str(entry.seed),
        entry.kind,
        ", ".join(plain(tag) for tag in entry.tags),
        prompt if len(prompt) <= 200 or not sys.stdout.isatty() else f"{prompt[:197]}...",
    )


def _facts(
    generation: Generation, entry: Entry, children: Sequence[str], place: str
) -> list[tuple[str, str]]:
    """Return what there is to tell, in the order in which people look for it."""
    from comfygen_mcp.tools.untrusted import plain

    job = generation.job
    settings = {"steps": job.steps, "cfg": job.cfg, "sampler": job.sampler, "scheduler": job.scheduler}
    facts = {
        "id": generation.id,
        "file": place,
        "made": _made(generation),
        "prompt": plain(generation.prompt),
        "negative": plain(generation.negative_prompt),
        "model": _model(generation),
        "seed": str(generation.seed),
        "settings": ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None),
        "size": f"{generation.width}x{generation.height}" if generation.width else "",
        "LoRAs": ", ".join(f"{use.name}:{use.strength:g}" for use in generation.loras),
        "preset": generation.preset or "",
        "style": generation.style or "",
        "workflow": "" if generation.workflow == UNKNOWN else generation.workflow,
        "host": _host(generation),
        "tags": ", ".join(plain(tag) for tag in generation.tags),
        "score": "" if generation.validation_score is None else f"{generation.validation_score:g}",
        "shared": "yes" if entry.shared else "",
        "made from": generation.parent_id or "",
        "children": ", ".join(children),
        "compared in": generation.group_id or "",
        "notes": "; ".join(plain(note) for note in generation.notes),
        "stand-in": "by the preview engine; no diffusion model ran" if generation.preview_engine else "",
    }
    return [(name, value) for name, value in facts.items() if value]


def _made(generation: Generation) -> str:
    """Return when it was made and how long that took, where that is known: not of what was imported."""
    when = f"{generation.timestamp.astimezone():%Y-%m-%d %H:%M:%S}"
    took = generation.timings.latency_ms
    return f"{when}, {took} ms" if took else when


def _model(generation: Generation) -> str:
    name, file = (None if known == UNKNOWN else known for known in (generation.backend, generation.model))
    return f"{name} ({file})" if name and file else name or file or ""


def _host(generation: Generation) -> str:
    if generation.host == UNKNOWN:
        return ""
    version = generation.comfyui_version or "of an unknown version"
    return f"{generation.host} (ComfyUI {version})"


def _launched(place: str) -> bool:
    """Begin the program that this machine has for *place*; what it says itself is of no use here."""
    if sys.platform in {"darwin", "win32"}:
        return typer.launch(place) == 0
    try:
        # The usual program for this; *place* is one of ours, and one argument without a shell.
        process = subprocess.Popen(  # noqa: S603 - as said above
            ["xdg-open", place],  # noqa: S607 - it lies where the desktop has it
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return process.wait(OPENED_S) == 0
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        # Some desktops start the program itself in its place: it is open.
        return True
