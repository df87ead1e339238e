"""The input shelf: pictures that jobs work on, kept under the hash of their bytes."""

import hashlib

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.models import InputFile
from comfygen_mcp.stores.base import Store

ROOT = "inputs/"
"""What the keys of all input pictures begin with."""


def input_key(sha256: str) -> str:
    """Return the key of an input picture: the same bytes are kept once."""
    return f"{ROOT}{sha256[:2]}/{sha256}.png"


class InputShelf:
    """Keeps input pictures in *store*, beside what is made of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, file: InputFile, data: bytes) -> None:
        """Store *data*, unless it is there already."""
        there = await self._store.stat(file.key)
        if there is None or there.size_bytes != len(data):
            await self._store.put_bytes(file.key, data, mime=file.mime)

    async def read(self, file: InputFile) -> bytes:
        """Return the bytes of *file*; raises StoreFailed when they are gone or no longer the same."""
        if await self._store.stat(file.key) is None:
            raise StoreFailed(_unusable(file, "is no longer in the store"))
        data = await self._store.read(file.key)
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise StoreFailed(_unusable(file, "was changed in the store: its bytes are not the ones kept"))
        return data


def _unusable(file: InputFile, problem: str) -> str:
    return (
        f"The input picture {file.placeholder!r} ({file.origin}) {problem} (key {file.key}). "
        "Give the picture again."
    )
