"""References to input pictures: a gallery id, a data URI, a URL or a file, and how each is read."""

import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Protocol, TypeAlias
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from anyio import to_thread

from comfygen_mcp import ids, sidecar
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.models import Generation
from comfygen_mcp.pictures import too_many_bytes
from comfygen_mcp.services.local_files import anywhere, first_there, inside, read_file
from comfygen_mcp.web import shown

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"""An http or https URL → its body, within the bounds of whoever made it."""

Find: TypeAlias = Callable[[str], Awaitable[Generation]]
"""The id of a generation that the caller may see → the generation."""

_ID = re.compile(r"[0-9a-fA-F-]{8,36}")
_OWN_URI = re.compile(r"comfygen://generations/([^/]+)(/image)?/?", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
"""Two letters at least: one is a drive of Windows."""
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{200,}")
_KEY_PARTS = 5
"""`g/YYYY/MM/DD/name`"""
_SIBLINGS = 4
"""Among so many outputs of a job its poster is looked for."""


class Stored(Protocol):
    """Where stored generations are found by id: what *visible_to* may not see is unknown to it."""

    async def find(self, generation_id: str, *, visible_to: str | None = None) -> Generation: ...

    async def read_output(self, generation: Generation) -> bytes: ...


@dataclass(frozen=True)
class Referenced:
    """What a reference led to; *name* is for messages, *origin* for the record.

    *generation_id* is set when it is a stored generation.
    """

    data: bytes
    name: str
    origin: str
    generation_id: str | None = None


@dataclass(frozen=True)
class References:
    """Reads what callers refer to; *folders* are those whose files may be used, *http* says who calls."""

    stored: Stored
    fetch: Fetch
    folders: tuple[Path, ...]
    max_bytes: int
    http: bool = False

    async def read(self, reference: str, *, any_path: bool, visible_to: str | None = None) -> Referenced:
        """Return the bytes that *reference* names; raises BadRequest when it leads nowhere or too far.

        *visible_to* names the caller whose own generations and the shared ones may be used; None all.
        """
        find = partial(self.stored.find, visible_to=visible_to)
        text = reference.strip()
        if not text:
            raise BadRequest(f"An input picture is given as an empty text. {self._works_here()}")
        if own := _OWN_URI.fullmatch(text):
            return await self._generation(await find(unquote(own[1])), find)
        if _ID.fullmatch(text):
            return await self._generation(await find(text), find)
        scheme = (_SCHEME.match(text) or ("", ""))[1].casefold()
        match scheme:
            case "data":
                return await to_thread.run_sync(self._data_uri, text)
            case "http" | "https":
                return await self._url(text, find)
            case "file":
                return await self._file(self._path_of_url(text), find, any_path=any_path)
            case "":
                return await self._file(text, find, any_path=any_path)
            case _:
                raise BadRequest(f"{scheme[:20]!r} references cannot be read. {self._works_here()}")

    async def _generation(self, generation: Generation, find: Find) -> Referenced:
        if generation.media != "image":
            raise BadRequest(await _no_picture(generation, find))
        data = await self.stored.read_output(generation)
        return Referenced(data, generation.id, f"generation {generation.id}", generation.id)

    def _data_uri(self, text: str) -> Referenced:
        head, comma, body = text.partition(",")
        if not comma or not head.casefold().endswith(";base64"):
            raise BadRequest("A data URI must look like data:image/png;base64,iVBORw0… (base64 only).")
        if len(body) > self.max_bytes // 3 * 4 + 1024:
            raise BadRequest(too_many_bytes("data URI", self.max_bytes))
        packed = "".join(unquote(body).split()).rstrip("=")
        try:
            data = binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
        except ValueError as error:
            raise BadRequest(
                "The base64 of the data URI is damaged or cut off. Send it whole, or give a URL or an id."
            ) from error
        return Referenced(data, "data URI", "data URI")

    async def _url(self, url: str, find: Find) -> Referenced:
        """Read a URL; a link to a stored file of ours is read from the store, as its server may be us."""
        generation = await _known(PurePath(unquote(_path_in(url))), find)
        if generation is not None:
            return await self._generation(generation, find)
        return Referenced(await self.fetch(url), shown(url), shown(url))

    async def _file(self, text: str, find: Find, *, any_path: bool) -> Referenced:
        look = partial(anywhere, text) if any_path else partial(inside, text, self.folders)
        places = await to_thread.run_sync(look)
        if not places:
            raise BadRequest(f"{_short(text)!r} cannot be read. {_base64_hint(text)}{self._works_here()}")
        path = await to_thread.run_sync(first_there, places)
        data = await to_thread.run_sync(partial(read_file, path, max_bytes=self.max_bytes))
        generation = await _known(path, find)
        return Referenced(data, path.name, f"file {path.name}", generation.id if generation else None)

    def _path_of_url(self, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = None
        if parts is None or parts.netloc not in ("", "localhost"):
            raise BadRequest(f"A file URL names a file of this machine: file:///path. {self._works_here()}")
        return url2pathname(parts.path)

    def _works_here(self) -> str:
        always = "the id of a stored picture, an http(s) URL, or a data URI (data:image/png;base64,…)"
        if self.http and not self.folders:
            return f"Give {always}; files of this server cannot be named here."
        folders = ", ".join(dict.fromkeys(repr(folder.name) for folder in self.folders)) or "none so far"
        if self.http:
            return f"Give {always}, or a file in one of the folders open to callers: {folders}."
        return f"Give a file in one of the folders open here ({folders}; input_dirs adds more), {always}."


async def _no_picture(generation: Generation, find: Find) -> str:
    text = f"Generation {generation.id} is a stored {generation.media}, not a picture."
    if generation.media != "video":
        return f"{text} Give the id of a picture."
    for index in range(_SIBLINGS):
        try:
            sibling = await find(ids.generation_id(generation.job_id, index))
        except (BadRequest, StoreFailed):
            continue
        if sibling.media == "image":
            return f"{text} Its poster, the first frame, is one: give {sibling.id}."
    return f"{text} Give a still of it: save one frame as a PNG."


async def _known(path: PurePath, find: Find) -> Generation | None:
    """Return the generation whose key *path* ends with, None when it is none of ours."""
    identifier = sidecar.id_in("/".join(path.parts[-_KEY_PARTS:]))
    try:
        return await find(identifier) if identifier else None
    except (BadRequest, StoreFailed):
        return None


def _path_in(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _base64_hint(text: str) -> str:
    if not _BASE64.fullmatch(text):
        return ""
    return "It looks like base64: put 'data:image/png;base64,' before it. "
