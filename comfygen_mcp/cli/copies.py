"""Copies of stored outputs, to where a person asked for them."""

import asyncio
import shutil
from pathlib import Path, PurePath

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.session import EXIT_BAD_INPUT, fail
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Generation


def check_target(output: Path | None) -> None:
    """Raise BadRequest for a place that cannot take the copy, before anything is generated."""
    folder = None if output is None or output.is_dir() else output.parent
    if folder is not None and not folder.is_dir():
        raise BadRequest(f"--output {str(output)!r}: there is no folder {str(folder)!r}. Make it first.")


async def copy_outputs(state: JobState, app: App, output: Path) -> None:
    """Copy every output to *output*, a file or a folder; a failure says where the stored one is."""
    for generation in state.generations:
        path = app.store.local_path(generation.key)
        data = None if path else await app.store.read(generation.key)
        try:
            written = await asyncio.to_thread(_write, generation, path or data, output)
            typer.echo(f"copied to {written}", err=True)
        except OSError as reason:
            stored = f"the picture is stored at {path or generation.minio_url}"
            fail(f"cannot copy to {output}: {reason.strerror}; {stored}", code=EXIT_BAD_INPUT)


def _write(generation: Generation, source: Path | bytes | None, output: Path) -> Path:
    """Write the copy; its name says what it is, whatever extension was asked for."""
    target = output / generation.key.rsplit("/", 1)[-1] if output.is_dir() else output
    if generation.index:
        target = target.with_stem(f"{target.stem}-{generation.index}")
    target = target.with_suffix(PurePath(generation.key).suffix)
    if isinstance(source, Path):
        shutil.copyfile(source, target)
    else:
        target.write_bytes(source or b"")
    return target
