"""Copies of stored outputs, to where a person asked for them."""

import asyncio
import io
import itertools
import shutil
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import typer

from comfygen_mcp.app import App
from comfygen_mcp.cli.session import EXIT_BAD_INPUT, fail
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Generation

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMS = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".png": "PNG"}


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
            typer.echo(f"copied to {written}{_remark(written, output)}", err=True)
        except OSError as reason:
            stored = f"the picture is stored at {path or generation.minio_url}"
            fail(f"cannot copy to {output}: {reason.strerror}; {stored}", code=EXIT_BAD_INPUT)


def _remark(written: Path, output: Path) -> str:
    """Say why the copy has another ending than the one that was asked for."""
    if output.is_dir() or written.suffix.casefold() == output.suffix.casefold() or not output.suffix:
        return ""
    return f" (it is {written.suffix.removeprefix('.')}, not {output.suffix.removeprefix('.')})"


def _write(generation: Generation, source: Path | bytes | None, output: Path) -> Path:
    """Write the copy; only a file that was named outright is ever replaced."""
    stored = PurePath(generation.key)
    named = output / stored.name if output.is_dir() else output
    form = None if output.is_dir() else _form_of(named.suffix, stored.suffix)
    target = named if form or output.is_dir() else named.with_suffix(stored.suffix)
    if generation.index:
        target = target.with_stem(f"{target.stem}-{generation.index}")
    if target != named:
        target = _free(target)
    if form and generation.media == "image":
        _convert(source, target, form)
    elif isinstance(source, Path):
        shutil.copyfile(source, target)
    else:
        target.write_bytes(source or b"")
    return target


def _form_of(asked: str, stored: str) -> str | None:
    """Return Pillow's name of the format that was asked for by its ending, None when it is the stored one."""
    asked, stored = asked.casefold(), stored.casefold()
    return None if asked == stored else _FORMS.get(asked)


def _free(target: Path) -> Path:
    """Return *target*, or the same with a number when there is such a file: nobody named it."""
    numbered = (target.with_stem(f"{target.stem} ({number})") for number in itertools.count(2))
    return next(path for path in itertools.chain([target], numbered) if not path.exists())


def _convert(source: Path | bytes | None, target: Path, form: str) -> None:
    from PIL import Image

    with Image.open(source if isinstance(source, Path) else io.BytesIO(source or b"")) as picture:
        flat = picture if form != "JPEG" or picture.mode == "RGB" else _on_white(picture)
        flat.save(target, form, quality=95)


def _on_white(picture: "Image") -> "Image":
    from PIL import Image

    rgba = picture.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    ground.alpha_composite(rgba)
    return ground.convert("RGB")
