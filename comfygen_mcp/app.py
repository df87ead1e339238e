"""App: the services, built in one place from settings; opening it touches no network."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from comfygen_mcp import __version__
from comfygen_mcp.app_store import open_store
from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.base import Backend
from comfygen_mcp.backends.hosts import Clients, ConfiguredHost, HostSource, ImplicitHost
from comfygen_mcp.config import Settings, host_of
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.jobs.base import JobEngine, Watch
from comfygen_mcp.models import Host
from comfygen_mcp.presets import Presets, load_presets
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.generation import GenerationService
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.resolve import Resolver
from comfygen_mcp.services.runner import Runner
from comfygen_mcp.services.status import StatusService
from comfygen_mcp.stores.base import Store


@dataclass(frozen=True)
class App:
    """What tools and commands work with."""

    settings: Settings
    presets: Presets
    offers: Offers
    catalogue: Catalogue
    generation: GenerationService
    status: StatusService
    store: Store
    file_url: Callable[[str], str] | None = None
    """Over HTTP: a stored key → the URL that hands the file out. None: callers share this machine's disk."""


@asynccontextmanager
async def open_app(
    settings: Settings, environ: Mapping[str, str], *, on_job_end: Watch | None = None
) -> AsyncGenerator[App]:
    """Build everything; raises BadConfiguration. Leaving it cancels running jobs and closes sockets."""
    from comfygen_mcp.comfyui.client import ComfyUI
    from comfygen_mcp.comfyui.timing import Timing
    from comfygen_mcp.jobs.in_process import InProcessJobs

    library = WorkflowLibrary(settings.workflow_dirs)
    timing = Timing(outage_s=settings.outage_s)
    clients = Clients(lambda host: ComfyUI(host, timing=timing))
    offers = _offers(settings, library, environ)
    async with open_store(settings, environ) as store:
        runner = Runner(
            backend_of=_Backends(offers, clients, library).named,
            archive=Archive(store),
            incoming=settings.incoming,
        )
        jobs = InProcessJobs(runner.run, on_finish=on_job_end)
        try:
            yield _app(settings, library=library, clients=clients, offers=offers, store=store, jobs=jobs)
        finally:
            await jobs.aclose()
            await clients.aclose()


def _app(
    settings: Settings,
    *,
    library: WorkflowLibrary,
    clients: Clients,
    offers: Offers,
    store: Store,
    jobs: JobEngine,
) -> App:
    presets = load_presets(settings.presets)
    catalogue = Catalogue(offers=offers, clients=clients, preferred=settings.default_backend)
    generation = GenerationService(
        offers=offers,
        library=library,
        catalogue=catalogue,
        resolver=_resolver(settings, presets),
        jobs=jobs,
        archive=Archive(store),
    )
    status = StatusService(offers=offers, catalogue=catalogue, clients=clients, jobs=jobs, store=store)
    return App(
        settings=settings,
        presets=presets,
        offers=offers,
        catalogue=catalogue,
        generation=generation,
        status=status,
        store=store,
    )


def _resolver(settings: Settings, presets: Presets) -> Resolver:
    return Resolver(
        presets=presets,
        timeout_image_s=settings.timeout_image_s,
        timeout_video_s=settings.timeout_video_s,
        now=lambda: datetime.now(UTC),
    )


def _offers(settings: Settings, library: WorkflowLibrary, environ: Mapping[str, str]) -> Offers:
    configured: dict[str, HostSource] = {
        name: ConfiguredHost(host_of(block, environ)) for name, block in settings.backends.items()
    }
    default = _default_source(settings, configured)
    return Offers(settings=settings, library=library, configured=configured, default=default)


def _default_source(settings: Settings, configured: Mapping[str, HostSource]) -> HostSource:
    """The host of everything that has no block of its own."""
    if settings.comfyui_url is not None:
        known = (source for source in configured.values() if source.address == settings.comfyui_url)
        return next(known, ConfiguredHost(Host(url=settings.comfyui_url)))
    if configured:
        return configured.get(settings.default_backend or "", next(iter(configured.values())))
    return implicit_host(settings)


def implicit_host(settings: Settings) -> ImplicitHost:
    """Return ComfyUI's usual address, with the embedded engine standing in when nothing listens there."""
    from comfygen_mcp.comfyui.embedded import ensure_engine, refused

    async def engine() -> Host:
        return await ensure_engine(
            Path(settings.engine.folder), idle_s=settings.engine.idle_s, version=__version__
        )

    return ImplicitHost(refused=refused, engine=engine)


class _Backends:
    """Builds the backend of a name when its first job comes."""

    def __init__(self, offers: Offers, clients: Clients, library: WorkflowLibrary) -> None:
        self._offers = offers
        self._clients = clients
        self._library = library
        self._known: dict[str, Backend] = {}

    def named(self, name: str) -> Backend:
        from comfygen_mcp.backends.comfyui import ComfyUIBackend

        if name not in self._known:
            self._known[name] = ComfyUIBackend(
                name,
                source=self._offers.source_of(name),
                clients=self._clients,
                library=self._library,
            )
        return self._known[name]
