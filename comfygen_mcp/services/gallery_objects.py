"""Reads the gallery's small objects from a store, several at a time: sidecars as entries, and edits."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
from pydantic import ValidationError

from comfygen_mcp import edits, sidecar
from comfygen_mcp.backends.archive import generation_from
from comfygen_mcp.edits import Edit
from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.entries import entry_of
from comfygen_mcp.models import Generation
from comfygen_mcp.stores.base import Store

READERS = 16
"""Objects that are read at the same time; an S3 store has its own, lower bound."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What was read, in the keys' order, and the keys of what is no object of ours."""

    found: list[T]
    unusable: list[str]


async def read_entries(store: Store, keys: Sequence[str]) -> Read[Entry]:
    """Read sidecars; raises StoreFailed when the store fails, not for a sidecar that is corrupt or gone."""
    return await _read_all(store, keys, _entry)


async def read_edits(store: Store, keys: Sequence[str]) -> Read[Edit]:
    return await _read_all(store, keys, lambda data, key: edits.from_json(data, key=key))


async def bytes_of(store: Store, key: str) -> bytes | None:
    """Return the bytes of *key*, None when nothing is there; raises StoreFailed when nobody can tell."""
    try:
        return await store.read(key)
    except StoreFailed:
        if await store.stat(key) is None:
            return None
        raise


def indexable(generation: Generation) -> Entry:
    """Return the entry of a generation that somebody else may have written; raises StoreFailed."""
    try:
        return entry_of(generation)
    except OverflowError as error:
        raise _unfit(generation, "timestamp", "it is not between the years 1 and 9999") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _unfit(generation, str(first["loc"][0]), first["msg"].lower()) from error


def _unfit(generation: Generation, field: str, problem: str) -> StoreFailed:
    return StoreFailed(
        f"The sidecar {generation.key}{sidecar.SUFFIX} cannot be used: its {field} is out of range "
        f"({problem}). The file beside it is untouched; mend the sidecar, or delete both."
    )


def _entry(data: bytes, key: str) -> Entry:
    return indexable(generation_from(data, key))


async def _read_all(store: Store, keys: Sequence[str], parse: Callable[[bytes, str], T]) -> Read[T]:
    found: dict[str, T] = {}
    unusable: list[str] = []
    failures: list[StoreFailed] = []
    turns = anyio.Semaphore(READERS)

    async def read(key: str) -> None:
        async with turns:
            try:
                data = await bytes_of(store, key)
            except StoreFailed as error:
                failures.append(error)
                group.cancel_scope.cancel()
                return
        if data is not None:
            try:
                found[key] = parse(data, key)
            except StoreFailed as error:
                _log.warning("%s", error)
                unusable.append(key)

    async with anyio.create_task_group() as group:
        for key in keys:
            group.start_soon(read, key)
    if failures:
        raise failures[0]
    return Read([found[key] for key in keys if key in found], sorted(unusable))
