"""What `comfygen gallery tag`, `share` and `rm` do."""

import json
import sys
from collections.abc import Sequence

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.session import EXIT_BAD_INPUT, Options, fail, opened
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Entry


async def tag_generation(
    options: Options, generation_id: str, *, add: Sequence[str], remove: Sequence[str], as_json: bool
) -> None:
    if not add and not remove:
        raise BadRequest("Name tags to add, or --remove TAG.")
    async with opened(options) as app:
        entry = await app.gallery.tag(generation_id, add=add, remove=remove, by="cli")
        await _tell(app, entry, f"tags: {', '.join(entry.tags) or 'none'}", as_json=as_json)


async def share_generation(options: Options, generation_id: str, *, shared: bool, as_json: bool) -> None:
    async with opened(options) as app:
        entry = await app.gallery.share(generation_id, shared, "cli")
        words = "shared with all tokens" if shared else "no longer shared"
        await _tell(app, entry, words, as_json=as_json)


async def remove_generations(
    options: Options, generation_ids: Sequence[str], *, yes: bool, as_json: bool
) -> None:
    async with opened(options) as app:
        # All are looked up before any goes: a mistyped one stops the whole.
        found = {entry.id: entry for entry in [await app.gallery.entry(each) for each in generation_ids]}
        if not yes:
            _ask(list(found.values()))
        for identifier in found:
            await app.gallery.delete(identifier, by="cli")
            if not as_json:
                typer.echo(f"deleted {identifier}")
    if as_json:
        typer.echo(json.dumps({"deleted": list(found)}, indent=2))


def _ask(entries: Sequence[Entry]) -> None:
    from comfygen_mcp.tools.untrusted import quoted

    for entry in entries:
        typer.echo(f"{entry.id}  {entry.created_at:%Y-%m-%d %H:%M}  {quoted(entry.prompt, 70)}", err=True)
    ask(f"Delete {'this one' if len(entries) == 1 else f'these {len(entries)}'} for good?")


def ask(question: str) -> None:
    """Leave unless a person says yes; standard output stays for results."""
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        fail("nothing was deleted; --yes deletes without asking", code=EXIT_BAD_INPUT)


async def _tell(app: App, entry: Entry, words: str, *, as_json: bool) -> None:
    from comfygen_mcp.tools.gallery_views import row_view

    if as_json:
        row = await row_view(entry, app, 1)
        typer.echo(json.dumps(row.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        typer.echo(f"{entry.id}: {words}")
