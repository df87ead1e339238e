"""What `comfygen gallery reindex`, `import`, `export` and `sweep` do, with a bar that shows how far."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.gallery_change import ask
from comfygen_mcp.cli.gallery_show import with_whole_group
from comfygen_mcp.cli.session import EXIT_FAILED, Options, opened
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Query
from comfygen_mcp.services.gallery_search import Filters, GallerySearch

if TYPE_CHECKING:
    from comfygen_mcp.models import Record
    from comfygen_mcp.services.gallery_care import CareReport

Tell: TypeAlias = Callable[[int, int | None], None]


async def rebuild_index(options: Options, *, as_json: bool) -> None:
    async with opened(options) as app:
        with _bar("reading sidecars") as tell:
            reading = await app.gallery.reindex(tell)
        size = await app.gallery.size()
    if as_json:
        _print_json(reading)
        return
    typer.echo(f"{size:,} stored pictures are in the index.")
    if reading.skipped:
        keys = "".join(f"\n  {key}" for key in reading.skipped_keys)
        typer.echo(f"{reading.skipped:,} objects are no sidecars that can be read, the newest of them:{keys}")


async def import_files(options: Options, folder: Path, *, as_json: bool) -> None:
    async with opened(options) as app:
        with _bar("importing") as tell:
            report = await app.gallery.import_folder(folder, tell)
    if as_json:
        _print_json(report)
    else:
        typer.echo(f"{report.imported:,} imported, {report.present:,} were there already.")
        for failure in report.failures:
            typer.echo(f"note: not imported: {failure.file}: {failure.reason}", err=True)
        if (unnamed := report.failed - len(report.failures)) > 0:
            typer.echo(f"note: {unnamed:,} more were not imported", err=True)
    # A folder has other files too; only when nothing in it is ours it is the wrong one.
    if report.failed and not report.imported and not report.present:
        raise typer.Exit(EXIT_FAILED)


async def export_zip(  # noqa: PLR0913 - each is one choice of what is packed
    options: Options,
    into: Path,
    generation_ids: Sequence[str],
    filters: Filters,
    *,
    strip: bool | None,
    sidecars: bool,
    as_json: bool,
) -> None:
    if generation_ids and filters != Filters():
        raise BadRequest("Give ids, or filters such as --tag, not both: ids name exactly what is packed.")
    async with opened(options) as app:
        wanted = generation_ids or await _query(app, filters)
        with _bar("packing") as tell:
            report = await app.gallery.export(wanted, into, strip=strip, sidecars=sidecars, progress=tell)
    if as_json:
        _print_json(report)
        return
    typer.echo(f"{into}: {report.files:,} files, {report.size_bytes / 1_000_000:.1f} MB")
    for names, why in ((report.missing, "gone"), (report.uncleaned, "its metadata cannot be taken out")):
        for name in names:
            typer.echo(f"left out: {name}: {why}", err=True)


async def _query(app: App, filters: Filters) -> Query:
    search = GallerySearch(app.gallery, visible_to=None, now=lambda: datetime.now(UTC))
    return await search.query(await with_whole_group(app, filters))


async def sweep_store(options: Options, *, orphans: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    async with opened(options) as app:
        report = await app.gallery.care(dry_run=True)
        going = report.unfinished + report.expired + report.surplus + (report.orphans if orphans else 0)
        if not as_json:
            _tell_findings(report)
        if going and not dry_run:
            if not yes:
                _ask(report, orphans=orphans)
            with _bar("deleting") as tell:
                report = await app.gallery.care(dry_run=False, remove_orphans=orphans, progress=tell)
            if not as_json:
                typer.echo(f"{report.removed:,} removed.")
    if as_json:
        _print_json(report)


def _tell_findings(report: "CareReport") -> None:
    typer.echo(f"{report.files:,} files, {report.total_bytes / 1_000_000:,.1f} MB")
    for count, words in (
        (report.unfinished, "objects are left of interrupted deletions"),
        (report.expired, "stored pictures are older than retention_days"),
        (report.surplus, "stored pictures are above quota_gb"),
        (report.orphans, "files are without a recipe (--orphans deletes them):"),
    ):
        if count:
            typer.echo(f"{count:,} {words}")
    for key in report.orphan_keys:
        typer.echo(f"  {key}")


def _ask(report: "CareReport", *, orphans: bool) -> None:
    from comfygen_mcp.tools.untrusted import quoted

    for entry in report.going:
        typer.echo(f"{entry.id}  {entry.created_at:%Y-%m-%d %H:%M}  {quoted(entry.prompt, 70)}", err=True)
    pictures = report.expired + report.surplus
    files = report.unfinished + (report.orphans if orphans else 0)
    ask(f"Delete {pictures:,} stored pictures and {files:,} left-over files for good?")


@contextmanager
def _bar(words: str) -> Generator[Tell]:
    """Show how far it is on standard error; the bar goes when it is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=None)

        def tell(done: int, total: int | None) -> None:
            progress.update(task, completed=done, total=total)

        yield tell


def _print_json(record: "Record") -> None:
    typer.echo(record.model_dump_json(indent=2))
