"""Status: every backend with its state, every host with its queue, and where files go."""

import asyncio

from comfygen_mcp import __version__
from comfygen_mcp.backends.hosts import Clients, HostSource
from comfygen_mcp.errors import BackendUnreachable, StoreFailed, UnexpectedReply
from comfygen_mcp.jobs.base import JobEngine, JobState
from comfygen_mcp.models import Host, Record
from comfygen_mcp.services.catalogue import Catalogue, Readiness, answering
from comfygen_mcp.services.offers import Offer, Offers
from comfygen_mcp.stores.base import Store
from comfygen_mcp.together import together

RECENT_JOBS = 500
"""How far back running jobs are looked for; older ones have finished."""


class BackendStatus(Record):
    """One line of `comfygen backends`; *readiness* is None unless the host was asked."""

    name: str
    type: str
    address: str
    workflow: str
    configured: bool
    error: str | None
    readiness: Readiness | None


class HostStatus(Record):
    """One ComfyUI as it answers now; *error* says why it does not."""

    url: str
    comfyui_version: str | None = None
    device: str | None = None
    vram_used_mib: int | None = None
    preview_engine: bool = False
    running: int = 0
    pending: int = 0
    error: str | None = None


class ServerStatus(Record):
    """The whole of it."""

    version: str
    store: str
    store_error: str | None
    store_waiting: int
    store_notes: tuple[str, ...]
    jobs_running: int
    backends: tuple[BackendStatus, ...]
    hosts: tuple[HostStatus, ...]


class StatusService:
    """Looks, never changes anything."""

    def __init__(
        self, *, offers: Offers, catalogue: Catalogue, clients: Clients, jobs: JobEngine, store: Store
    ) -> None:
        self._offers = offers
        self._catalogue = catalogue
        self._clients = clients
        self._jobs = jobs
        self._store = store

    async def backends(self, *, probe: bool) -> list[BackendStatus]:
        """List configured instances, models and unusable workflow files; only *probe* asks the hosts."""
        offers = self._offers.all()
        states = await self._catalogue.readiness_of_all(offers) if probe else [None] * len(offers)
        listed = [self._backend(offer, state) for offer, state in zip(offers, states, strict=True)]
        return listed + [self._backend(offer, None) for offer in self._offers.broken()]

    async def server(self, *, probe: bool) -> ServerStatus:
        looks = (self.backends(probe=probe), self._hosts() if probe else _nobody())
        backends, hosts = await asyncio.gather(*looks)
        jobs = await self.jobs()
        store_error = await self.store_error()
        condition = await self._store.condition()
        return ServerStatus(
            version=__version__,
            store=self._store.name,
            store_error=store_error,
            store_waiting=condition.waiting,
            store_notes=condition.notes,
            jobs_running=sum(not state.finished for state in jobs),
            backends=tuple(backends),
            hosts=tuple(hosts),
        )

    async def default_host(self) -> HostStatus:
        """Look at the default host; the embedded engine that would stand in for it is not started."""
        source = self._offers.default_source
        try:
            async with answering(source.address):
                host = await source.present()
                return HostStatus(url=source.address) if host is None else await self._ask(host)
        except (BackendUnreachable, UnexpectedReply) as reason:
            return HostStatus(url=source.address, error=str(reason))

    async def jobs(self) -> list[JobState]:
        """Return what this process remembers of its jobs, newest first."""
        return await self._jobs.recent(limit=RECENT_JOBS)

    async def store_error(self) -> str | None:
        """Return why the store cannot be written now, or None."""
        try:
            await self._store.writable()
        except StoreFailed as reason:
            return str(reason)
        return None

    def _backend(self, offer: Offer, readiness: Readiness | None) -> BackendStatus:
        return BackendStatus(
            name=offer.name,
            type=offer.block.type,
            address=offer.address,
            workflow=offer.workflow,
            configured=offer.configured,
            error=self._offers.reason(offer),
            readiness=readiness,
        )

    async def _hosts(self) -> list[HostStatus]:
        sources = {s.address: s for s in (self._offers.source(offer) for offer in self._offers.all())}
        return await together(self._host(source) for source in sources.values())

    async def _host(self, source: HostSource) -> HostStatus:
        try:
            async with answering(source.address):
                return await self._ask(await source.host())
        except (BackendUnreachable, UnexpectedReply) as reason:
            return HostStatus(url=source.address, error=str(reason))

    async def _ask(self, host: Host) -> HostStatus:
        client = self._clients.of(host)
        stats = await client.system_stats()
        queue = await client.queue()
        return HostStatus(
            url=host.url,
            comfyui_version=stats.comfyui_version,
            device=stats.device,
            vram_used_mib=stats.vram_used_mib,
            preview_engine=stats.preview_engine,
            running=len(queue.running),
            pending=len(queue.pending),
        )


async def _nobody() -> list[HostStatus]:
    return []
