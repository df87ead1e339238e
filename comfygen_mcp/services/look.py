"""One look at the hosts, shared by everything that is judged in it: each is asked the same thing once."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.models import Host, HostFacts, RequiredFile

T = TypeVar("T")


class Look:
    """Answers of the hosts, kept as long as the look lasts; failures are not kept."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._locks: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._facts: dict[tuple[str, ...], HostFacts] = {}
        self._lists: dict[tuple[str, ...], tuple[str, ...]] = {}

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
