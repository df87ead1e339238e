"""Inputs: the pictures that a request works on, read, brought into shape, and kept for the job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from anyio import CapacityLimiter, to_thread

from comfygen_mcp.backends.inputs import InputShelf, input_key
from comfygen_mcp.config import Settings, is_s3
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import InputFile
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.pictures import MAX_BYTES, Picture, read_picture
from comfygen_mcp.services.framing import framed
from comfygen_mcp.services.references import Fetch, Referenced, References, Stored

PLACEHOLDERS: tuple[str, ...] = ("image", "image2", "image3")
"""What the pictures of a request fill, in their order; beside them there is `mask`."""
UPLOAD_FOLDER = "comfygen"
"""The folder of ComfyUI's inputs that ours are uploaded to."""

_AT_ONCE = 2
"""Pictures worked on at a time: one of 64 megapixels fills 256 MB."""


@dataclass(frozen=True)
class PreparedInputs:
    """Input pictures ready to be stored and uploaded; *data* holds their bytes by SHA-256.

    *size* is that of the first picture. *parent_id* is set when that is a stored generation.
    """

    files: tuple[InputFile, ...] = ()
    data: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    parent_id: str | None = None

    @property
    def values(self) -> dict[str, str]:
        """What fills the placeholders."""
        return {file.placeholder: file.name for file in self.files}


NO_INPUTS = PreparedInputs()


class Inputs:
    """Prepares input pictures; *folders* are those whose files callers may name, *http* says who calls."""

    def __init__(
        self,
        *,
        stored: Stored,
        shelf: InputShelf,
        fetch: Fetch,
        folders: tuple[Path, ...] = (),
        max_bytes: int = MAX_BYTES,
        http: bool = False,
    ) -> None:
        self._references = References(stored, fetch, folders, max_bytes, http)
        self._shelf = shelf
        self._max_bytes = max_bytes
        self._limiter = CapacityLimiter(_AT_ONCE)

    async def prepare(
        self, request: GenerateRequest, workflow: Workflow, *, any_path: bool = False
    ) -> PreparedInputs:
        """Read the pictures of *request* and bring them to the size of *workflow*; nothing is stored.

        *any_path* lets a reference be any file of this machine. Raises BadRequest for a reference that
        leads nowhere or too far, and for what is no usable picture.
        """
        _check_number(request, workflow)
        if not request.images:
            prepared = PreparedInputs(notes=_without_picture(request))
            return await self._with_uploads(prepared, request, any_path=any_path)
        read = partial(self._references.read, any_path=any_path, visible_to=request.owner)
        found = [await read(image) for image in request.images]
        drawn = None
        if request.mask is not None:
            drawn = await read(request.mask)
        work = partial(_prepared, found, drawn, request, workflow, self._max_bytes)
        prepared = await to_thread.run_sync(work, limiter=self._limiter)
        return await self._with_uploads(prepared, request, any_path=any_path)

    async def store(self, prepared: PreparedInputs) -> None:
        """Keep the pictures of *prepared*, so that its job can be run anywhere and again."""
        for file in prepared.files:
            await self._shelf.keep(file, prepared.data[file.sha256])

    async def read(self, file: InputFile) -> bytes:
        """Return the bytes of a picture that was stored."""
        return await self._shelf.read(file)

    async def _with_uploads(
        self, prepared: PreparedInputs, request: GenerateRequest, *, any_path: bool
    ) -> PreparedInputs:
        """Add the pictures that are sent in the size that they have."""
        files, data, parent = list(prepared.files), dict(prepared.data), prepared.parent_id
        for name, reference in request.uploads.items():
            found = await self._references.read(reference, any_path=any_path, visible_to=request.owner)
            work = partial(_picture, found, self._max_bytes)
            picture = await to_thread.run_sync(work, limiter=self._limiter)
            files.append(_file(name, picture, found.origin))
            data[picture.sha256] = picture.data
            parent = parent or found.generation_id
        return replace(prepared, files=tuple(files), data=data, parent_id=parent)


def input_folders(settings: Settings, cwd: Path, http: bool) -> tuple[Path, ...]:
    """Return the folders whose files callers may name as pictures; over HTTP only the configured ones.

    The root of a file system is where a client happened to start us, not a folder of anybody's work.
    """
    if http:
        return settings.input_dirs
    working = () if cwd == Path(cwd.anchor) else (cwd,)
    gallery = () if is_s3(settings.store) else (Path(settings.store),)
    return tuple(dict.fromkeys((*working, *settings.input_dirs, *gallery)))


def _check_number(request: GenerateRequest, workflow: Workflow) -> None:
    if request.mask is not None and not request.images:
        raise BadRequest("A mask is given without a picture. Give the picture that it belongs to as well.")
    wanted = placeholders(workflow.graph)
    most = sum(name in wanted for name in PLACEHOLDERS) or len(PLACEHOLDERS)
    if len(request.images) > most:
        raise BadRequest(
            f"{len(request.images)} pictures are given; {workflow.name} works on {most}. Leave some out."
        )


def _without_picture(request: GenerateRequest) -> tuple[str, ...]:
    given = {"resize": request.resize, "crop": request.crop}
    return tuple(
        f"{name}={value!r} has no effect: no input picture is given."
        for name, value in given.items()
        if value is not None
    )


def _prepared(
    found: Sequence[Referenced],
    drawn: Referenced | None,
    request: GenerateRequest,
    workflow: Workflow,
    max_bytes: int,
) -> PreparedInputs:
    """Decode, bring to size and encode, which may take seconds."""
    pictures = [_picture(entry, max_bytes) for entry in found]
    made = framed(pictures, _picture(drawn, max_bytes) if drawn else None, request, workflow)
    origins = [entry.origin for entry in found]
    placed = list(zip(PLACEHOLDERS, made.pictures, origins, strict=False))
    if made.mask is not None:
        placed.append(("mask", made.mask, drawn.origin if drawn else "made from the picture"))
    return PreparedInputs(
        files=tuple(_file(name, picture, origin) for name, picture, origin in placed),
        data={picture.sha256: picture.data for _, picture, _ in placed},
        size=made.pictures[0].size,
        notes=made.notes,
        parent_id=found[0].generation_id,
    )


def _picture(found: Referenced, max_bytes: int) -> Picture:
    # A stored picture of ours may be larger than what callers may send: its pixels are bounded alike.
    most = max(max_bytes, len(found.data) if found.generation_id else 0)
    return read_picture(found.data, name=found.name, max_bytes=most)


def _file(placeholder: str, picture: Picture, origin: str) -> InputFile:
    return InputFile(
        placeholder=placeholder,
        name=f"{UPLOAD_FOLDER}/{picture.sha256}.png",
        key=input_key(picture.sha256),
        sha256=picture.sha256,
        mime=picture.mime,
        size_bytes=len(picture.data),
        width=picture.width,
        height=picture.height,
        origin=origin,
    )
