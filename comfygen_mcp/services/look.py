"""One look at the hosts, shared by everything that is judged in it: each is asked the same thing once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.backends.node_classes import AT_ONCE
from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.graph.catalogue import Catalogue, NodeSpec, parse_object_info
from comfygen_mcp.models import Graph, Host, HostFacts, RequiredFile
from comfygen_mcp.together import together

T = TypeVar("T")


class Look:
    """Answers of the hosts, kept as long as the look lasts; failures are not kept."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._locks: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._facts: dict[tuple[str, ...], HostFacts] = {}
        self._lists: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._declared: dict[tuple[str, ...], NodeSpec | None] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def facts(self, host: Host) -> HostFacts:
        return await self._once(self._facts, (host.url,), self._clients.of(host).system_stats)

    async def missing(self, host: Host, wanted: tuple[RequiredFile, ...]) -> tuple[RequiredFile, ...]:
        """Return those of *wanted* that the host lacks, even when it is asked anew."""
        installed = {entry.folder: await self._models(host, entry.folder) for entry in wanted}
        lacking = [entry for entry in wanted if entry.file not in installed[entry.folder]]
        if not lacking:
            return ()
        fresh = {entry.folder: await self._models(host, entry.folder, refresh=True) for entry in lacking}
        return tuple(entry for entry in lacking if entry.file not in fresh[entry.folder])

    async def classes(self, host: Host, graph: Graph) -> tuple[Catalogue, tuple[str, ...]]:
        """Return the classes of *graph* as the host declares them, and the names of those it lacks.

        One that it fails to tell about, as a node pack that breaks does, is neither.
        """
        names = tuple(dict.fromkeys(node["class_type"] for node in graph.values()))
        specs: dict[str, NodeSpec] = {}
        lacking: list[str] = []

        async def look(name: str) -> None:
            with suppress(UnexpectedReply):
                spec = await self._class(host, name)
                if spec is None:
                    lacking.append(name)
                else:
                    specs[name] = spec

        await together(look(name) for name in names)
        return Catalogue(specs), tuple(name for name in names if name in lacking)

    async def _class(self, host: Host, name: str) -> NodeSpec | None:
        async def ask() -> NodeSpec | None:
            async with self._places:
                declared = await self._clients.of(host).object_info(name)
            return parse_object_info({name: dict(declared)}).get(name)

        return await self._once(self._declared, (host.url, name), ask)

    async def _models(self, host: Host, folder: str, *, refresh: bool = False) -> tuple[str, ...]:
        async def ask() -> tuple[str, ...]:
            return await self._clients.of(host).models(folder, refresh=refresh)

        return await self._once(self._lists, (host.url, folder, "fresh" if refresh else "known"), ask)

    async def _once(
        self, kept: dict[tuple[str, ...], T], key: tuple[str, ...], ask: Callable[[], Awaitable[T]]
    ) -> T:
        # A lock, not a shared task: whoever is cancelled while asking leaves the asking to the next one.
        async with self._locks[key]:
            if key not in kept:
                kept[key] = await ask()
            return kept[key]
