"""What `comfygen gallery search`, `show` and `open` print: rows, recipes, small pictures."""

import json
import sys
from collections.abc import Sequence

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.session import Options, opened
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation
from comfygen_mcp.services.gallery_search import Filters


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
    if typer.launch(place) != 0:
        raise BadRequest("No program of this machine opens it; the line above is where it is.")


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
        "made": f"{generation.timestamp.astimezone():%Y-%m-%d %H:%M:%S}, {generation.timings.latency_ms} ms",
        "prompt": plain(generation.prompt),
        "negative": plain(generation.negative_prompt),
        "model": f"{generation.backend} ({generation.model})" if generation.model else generation.backend,
        "seed": str(generation.seed),
        "settings": ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None),
        "size": f"{generation.width}x{generation.height}" if generation.width else "",
        "LoRAs": ", ".join(f"{use.name}:{use.strength:g}" for use in generation.loras),
        "preset": generation.preset or "",
        "style": generation.style or "",
        "workflow": generation.workflow,
        "host": f"{generation.host} (ComfyUI {generation.comfyui_version or 'of an unknown version'})",
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
