"""The LoRA files of a host and what is known of them, fetched a few at a time and kept for a while."""

import asyncio
import time
from collections.abc import Callable, Sequence

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.errors import BackendUnreachable, UnexpectedReply
from comfygen_mcp.graph.lora_facts import LoraFacts, lora_facts
from comfygen_mcp.models import Host
from comfygen_mcp.together import together

FOLDER = "loras"
AT_ONCE = 8
"""Files that a host is asked about at the same time."""
FACTS_S = 8.0
"""How long metadata is waited for; what has not come by then is told by the files' names."""
LIFE_S = 300.0
"""How long facts are believed: a file may be replaced by another of its name."""
_MOST_KEPT = 5000


class LoraFiles:
    """Remembers facts by host and file; metadata that cannot be had now is asked for again next time."""

    def __init__(self, clients: Clients, *, now: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._now = now
        self._known: dict[tuple[str, str], tuple[float, LoraFacts]] = {}

    async def names(self, host: Host, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the installed files, at most a few seconds old."""
        return await self._clients.of(host).models(FOLDER, refresh=refresh)

    async def facts(self, host: Host, files: Sequence[str]) -> dict[str, LoraFacts]:
        """Return what is known of each of *files*; never raises for a host that does not tell."""
        gate = asyncio.Semaphore(AT_ONCE)
        deadline = asyncio.get_running_loop().time() + FACTS_S
        wanted = list(dict.fromkeys(files))
        found = await together(self._facts(host, file, gate, deadline) for file in wanted)
        return dict(zip(wanted, found, strict=True))

    async def _facts(self, host: Host, file: str, gate: asyncio.Semaphore, deadline: float) -> LoraFacts:
        known = self._known.get((host.url, file))
        if known is not None and self._now() - known[0] < LIFE_S:
            return known[1]
        try:
            async with asyncio.timeout_at(deadline), gate:
                metadata = await self._clients.of(host).metadata(FOLDER, file)
        except (TimeoutError, BackendUnreachable, UnexpectedReply):
            return lora_facts(file, {})
        facts = lora_facts(file, metadata)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[host.url, file] = (self._now(), facts)
        return facts
