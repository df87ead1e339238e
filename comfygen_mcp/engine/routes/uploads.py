"""/upload/image: ComfyUI's rules for names that are already taken."""

import asyncio
import hashlib
import itertools
from pathlib import Path, PurePosixPath

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.folders import KINDS, Folders, OutsideFolder
from comfygen_mcp.engine.replies import Trouble, empty, json_reply
from comfygen_mcp.engine.routes.door import engine_of


async def post_image(request: Request) -> Response:
    async with request.form() as form:
        image = form.get("image")
        if image is None:
            return empty(400)
        if not isinstance(image, UploadFile) or not image.filename:
            raise Trouble
        content = await image.read()
        try:
            return await asyncio.to_thread(_keep, engine_of(request).folders, form, image.filename, content)
        except OSError as error:  # a name too long, a full disk
            raise Trouble from error


def _keep(folders: Folders, form: FormData, filename: str, content: bytes) -> Response:
    kind, subfolder = _field(form, "type", "input"), _field(form, "subfolder", "")
    if kind not in KINDS:
        raise Trouble
    try:
        folder = folders.inside(kind, subfolder)
        wanted = folders.inside(kind, subfolder, filename)
    except OutsideFolder:
        return empty(400)
    folder.mkdir(parents=True, exist_ok=True)
    if not wanted.parent.is_dir() or wanted.is_dir():
        raise Trouble
    overwrite = _field(form, "overwrite", "") in {"true", "1"}
    path = wanted if overwrite else _free_name(wanted, content)
    if overwrite or not path.exists():
        path.write_bytes(content)
    name = str(PurePosixPath(filename).with_name(path.name))
    return json_reply({"name": name, "subfolder": subfolder, "type": kind})


def _field(form: FormData, name: str, default: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else default


def _free_name(wanted: Path, content: bytes) -> Path:
    """Return the first of `a.png`, `a (1).png`, ... that does not exist or has the same content."""
    path = wanted
    for number in itertools.count(1):
        if not path.exists() or _same(path, content):
            break
        path = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
    return path


def _same(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and _digest(path.read_bytes()) == _digest(content)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
