"""`comfygen gallery`: what is stored, found again, looked at, tagged, deleted, moved and kept in order."""

from pathlib import Path
from typing import Annotated

import typer

from comfygen_mcp.cli.gallery_filters import (
    Backend,
    Contains,
    Group,
    KindName,
    Lora,
    MinScore,
    Model,
    Parent,
    Preset,
    SeedRange,
    Since,
    Tags,
    Until,
    WorkflowName,
    each,
)
from comfygen_mcp.cli.knobs import AsJson
from comfygen_mcp.cli.session import Options, run

app = typer.Typer(name="gallery", help="Everything that was made: find it, look at it, keep it in order.")

GenerationId = Annotated[str, typer.Argument(metavar="ID", help="Id, or at least 8 digits of its beginning.")]
Thumbnails = Annotated[
    bool, typer.Option("--thumbnails/--no-thumbnails", help="Show small pictures where the terminal can.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def search(  # noqa: PLR0913, PLR0917 - each option is one filter
    ctx: typer.Context,
    text: Annotated[
        list[str] | None, typer.Argument(help='Words, "phrases", begin*; after -- also -without.')
    ] = None,
    contains: Contains = None,
    model: Model = None,
    backend: Backend = None,
    workflow: WorkflowName = None,
    lora: Lora = None,
    preset: Preset = None,
    kind: KindName = None,
    tag: Tags = None,
    seed: SeedRange = None,
    min_score: MinScore = None,
    since: Since = None,
    until: Until = None,
    group: Group = None,
    parent: Parent = None,
    relevance: Annotated[bool, typer.Option("--relevance", help="Best match first, not newest.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many to show.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="The next page, as the last one says.")] = None,
    thumbnails: Thumbnails = True,
    as_json: AsJson = False,
) -> None:
    """Find stored pictures, the newest first."""
    from comfygen_mcp.cli.gallery_show import search_gallery
    from comfygen_mcp.services.gallery_search import Filters

    filters = Filters(
        text=" ".join(text or ()),
        contains=contains,
        model=model,
        backend=backend,
        workflow=workflow,
        lora=lora,
        preset=preset,
        kind=kind,
        tags=each(tag),
        seed=seed,
        min_score=min_score,
        since=since,
        until=until,
        group=group,
        parent=parent,
        sort="relevance" if relevance else "newest",
    )
    run(
        lambda: search_gallery(
            Options(ctx.obj), filters, limit=limit, cursor=cursor, thumbnails=thumbnails, as_json=as_json
        )
    )


@app.command()
def show(
    ctx: typer.Context,
    generation_id: GenerationId,
    graph: Annotated[bool, typer.Option("--graph", help="Print only its ComfyUI graph, as JSON.")] = False,
    thumbnails: Thumbnails = True,
    as_json: AsJson = False,
) -> None:
    """Tell all about one: its recipe, its file, what was made from it."""
    from comfygen_mcp.cli.gallery_show import show_generation

    run(
        lambda: show_generation(
            Options(ctx.obj), generation_id, graph=graph, thumbnails=thumbnails, as_json=as_json
        )
    )


@app.command("open")
def open_file(ctx: typer.Context, generation_id: GenerationId) -> None:
    """Open a stored file with the program that this machine has for it."""
    from comfygen_mcp.cli.gallery_show import open_generation

    run(lambda: open_generation(Options(ctx.obj), generation_id))


@app.command()
def tag(
    ctx: typer.Context,
    generation_id: GenerationId,
    add: Annotated[
        list[str] | None, typer.Argument(help="Tags to add; 'keep' saves it from clean-ups.")
    ] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", "-r", help="Tag to remove.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add tags, or remove them."""
    from comfygen_mcp.cli.gallery_change import tag_generation

    run(
        lambda: tag_generation(
            Options(ctx.obj), generation_id, add=add or (), remove=remove or (), as_json=as_json
        )
    )


@app.command()
def share(
    ctx: typer.Context,
    generation_id: GenerationId,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the holders of all tokens see one."""
    from comfygen_mcp.cli.gallery_change import share_generation

    run(lambda: share_generation(Options(ctx.obj), generation_id, shared=not off, as_json=as_json))


@app.command("rm")
def remove(
    ctx: typer.Context,
    generation_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or their beginnings.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete stored pictures with their recipes, for good."""
    from comfygen_mcp.cli.gallery_change import remove_generations

    run(lambda: remove_generations(Options(ctx.obj), generation_ids, yes=yes, as_json=as_json))


@app.command()
def reindex(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Forget the index, and build it again from the sidecars in the store."""
    from comfygen_mcp.cli.gallery_care import rebuild_index

    run(lambda: rebuild_index(Options(ctx.obj), as_json=as_json))


@app.command("import")
def import_folder(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Output folder of a ComfyUI, or an unpacked export.")],
    as_json: AsJson = False,
) -> None:
    """Copy the files of a folder into the gallery, with what they tell of themselves."""
    from comfygen_mcp.cli.gallery_care import import_files

    run(lambda: import_files(Options(ctx.obj), folder, as_json=as_json))


@app.command()
def export(  # noqa: PLR0913, PLR0917 - each option is one choice of what is packed
    ctx: typer.Context,
    into: Annotated[Path, typer.Argument(metavar="ZIP", help="The zip to write.")],
    generation_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="Only these; default: all.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Only those with these words.")] = None,
    contains: Contains = None,
    model: Model = None,
    backend: Backend = None,
    workflow: WorkflowName = None,
    lora: Lora = None,
    preset: Preset = None,
    kind: KindName = None,
    tag: Tags = None,
    seed: SeedRange = None,
    min_score: MinScore = None,
    since: Since = None,
    until: Until = None,
    group: Group = None,
    parent: Parent = None,
    strip: Annotated[
        bool | None,
        typer.Option(
            "--strip/--keep-metadata",
            help="Leave graphs and hosts out, or in; default: as strip_metadata says.",
        ),
    ] = None,
    sidecars: Annotated[bool, typer.Option("--sidecars/--no-sidecars", help="Add the recipes.")] = True,
    as_json: AsJson = False,
) -> None:
    """Pack stored files and their recipes into a zip: those with these ids, or what a search finds.

    With the default settings graphs are left out: --keep-metadata is for pictures to be made again.
    """
    from comfygen_mcp.cli.gallery_care import export_zip
    from comfygen_mcp.services.gallery_search import Filters

    filters = Filters(
        text=text or "",
        contains=contains,
        model=model,
        backend=backend,
        workflow=workflow,
        lora=lora,
        preset=preset,
        kind=kind,
        tags=each(tag),
        seed=seed,
        min_score=min_score,
        since=since,
        until=until,
        group=group,
        parent=parent,
    )
    run(
        lambda: export_zip(
            Options(ctx.obj),
            into,
            generation_ids or (),
            filters,
            strip=strip,
            sidecars=sidecars,
            as_json=as_json,
        )
    )


@app.command()
def sweep(
    ctx: typer.Context,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Also delete files whose recipe never came.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Finish interrupted deletions, and delete what is too old or too much, if that is configured."""
    from comfygen_mcp.cli.gallery_care import sweep_store

    run(lambda: sweep_store(Options(ctx.obj), orphans=orphans, dry_run=dry_run, yes=yes, as_json=as_json))
