"""App: the services, built in one place from settings; opening it touches no network."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from comfygen_mcp import __version__
from comfygen_mcp.app_store import open_store
from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.base import Backend
from comfygen_mcp.backends.hosts import Clients, ConfiguredHost, HostSource, ImplicitHost
from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.config import Settings, host_of
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.jobs.base import JobEngine, Watch
from comfygen_mcp.models import Host
from comfygen_mcp.presets import Presets, load_presets
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.choice import Choice
from comfygen_mcp.services.estimates import Estimates
from comfygen_mcp.services.generation import GenerationService
from comfygen_mcp.services.inputs import Inputs, input_folders
from comfygen_mcp.services.listing import Listing
from comfygen_mcp.services.loras import LoraService
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.preparation import Preparation
from comfygen_mcp.services.references import Fetch, References
from comfygen_mcp.services.resolve import Resolver
from comfygen_mcp.services.runner import Runner
from comfygen_mcp.services.status import StatusService
from comfygen_mcp.services.workflow_checks import WorkflowChecks
from comfygen_mcp.services.workflow_graphs import CallersGraphs
from comfygen_mcp.services.workflow_requests import WorkflowRequests
from comfygen_mcp.services.workflows import WorkflowService
from comfygen_mcp.stores.base import Store
from comfygen_mcp.web import fetch


@dataclass(frozen=True)
class App:
    """What tools and commands work with."""

    settings: Settings
    presets: Presets
    offers: Offers
    catalogue: Catalogue
    listing: Listing
    loras: LoraService
    generation: GenerationService
    workflows: WorkflowService
    status: StatusService
    store: Store
    file_url: Callable[[str], str] | None = None
    """Over HTTP: a stored key → the URL that hands the file out. None: callers share this machine's disk."""


@dataclass(frozen=True)
class Parts:
    """What the services are built from."""

    settings: Settings
    library: WorkflowLibrary
    clients: Clients
    offers: Offers
    nodes: NodeClasses
    store: Store
    shelf: InputShelf
    estimates: Estimates
    http: bool


@asynccontextmanager
async def open_app(
    settings: Settings, environ: Mapping[str, str], *, on_job_end: Watch | None = None, http: bool = False
) -> AsyncGenerator[App]:
    """Build everything; raises BadConfiguration. Leaving it cancels running jobs and closes sockets.

    *http* says that callers are elsewhere: files of this machine are not theirs to name.
    """
    from comfygen_mcp.comfyui.client import ComfyUI
    from comfygen_mcp.comfyui.object_info import DeclarationCache
    from comfygen_mcp.comfyui.timing import Timing
    from comfygen_mcp.jobs.in_process import InProcessJobs

    library = WorkflowLibrary(settings.workflow_dirs)
    timing = Timing(outage_s=settings.outage_s)
    declarations = DeclarationCache(settings.cache / "object_info")
    clients = Clients(lambda host: ComfyUI(host, timing=timing, declarations=declarations))
    offers = _offers(settings, library, environ)
    async with open_store(settings, environ) as store:
        parts = Parts(
            settings=settings,
            library=library,
            clients=clients,
            offers=offers,
            nodes=NodeClasses(clients),
            store=store,
            shelf=InputShelf(store),
            estimates=Estimates(),
            http=http,
        )
        runner = Runner(
            backend_of=_Backends(parts).named,
            archive=Archive(store),
            incoming=settings.incoming,
            learn=parts.estimates.learn,
        )
        jobs = InProcessJobs(runner.run, on_finish=on_job_end)
        try:
            yield _app(parts, jobs)
        finally:
            await jobs.aclose()
            await clients.aclose()


def _app(parts: Parts, jobs: JobEngine) -> App:
    presets = load_presets(parts.settings.presets)
    catalogue = Catalogue(
        offers=parts.offers, clients=parts.clients, preferred=parts.settings.default_backend
    )
    loras = LoraService(offers=parts.offers, clients=parts.clients, presets=presets, library=parts.library)
    preparation = Preparation(
        offers=parts.offers,
        choice=Choice(offers=parts.offers, library=parts.library, catalogue=catalogue),
        inputs=_inputs(parts),
        loras=loras,
        resolver=_resolver(parts.settings, presets),
        nodes=parts.nodes,
    )
    return App(
        settings=parts.settings,
        presets=presets,
        offers=parts.offers,
        catalogue=catalogue,
        generation=GenerationService(
            preparation=preparation,
            catalogue=catalogue,
            estimates=parts.estimates,
            jobs=jobs,
            archive=Archive(parts.store),
        ),
        workflows=_workflows(parts, catalogue),
        listing=Listing(offers=parts.offers, catalogue=catalogue, nodes=parts.nodes),
        loras=loras,
        status=StatusService(
            offers=parts.offers, catalogue=catalogue, clients=parts.clients, jobs=jobs, store=parts.store
        ),
        store=parts.store,
    )


def _inputs(parts: Parts) -> Inputs:
    return Inputs(
        archive=Archive(parts.store),
        shelf=parts.shelf,
        fetch=_fetch(parts.settings),
        folders=input_folders(parts.settings, Path.cwd(), parts.http),
        max_bytes=_most(parts.settings),
        http=parts.http,
    )


def _workflows(parts: Parts, catalogue: Catalogue) -> WorkflowService:
    source, archive = parts.offers.default_source, Archive(parts.store)
    folders = input_folders(parts.settings, Path.cwd(), parts.http)
    references = References(archive, _fetch(parts.settings), folders, _most(parts.settings), parts.http)
    graphs = CallersGraphs(source=source, nodes=parts.nodes, references=references, archive=archive)
    return WorkflowService(
        library=parts.library,
        offers=parts.offers,
        catalogue=catalogue,
        graphs=graphs,
        requests=WorkflowRequests(library=parts.library, graphs=graphs, settings=parts.settings),
        checks=WorkflowChecks(library=parts.library, source=source, nodes=parts.nodes),
    )


def _fetch(settings: Settings) -> Fetch:
    return partial(
        fetch,
        max_bytes=_most(settings),
        timeout_s=settings.timeout_url_s,
        allow_private=settings.allow_private_urls,
    )


def _most(settings: Settings) -> int:
    """Return how many bytes an input picture may have."""
    return int(settings.max_input_mb * 1_000_000)


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

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[str, Backend] = {}

    def named(self, name: str) -> Backend:
        from comfygen_mcp.backends.comfyui import ComfyUIBackend

        if name not in self._known:
            self._known[name] = ComfyUIBackend(
                name,
                source=self._parts.offers.source_of(name),
                clients=self._parts.clients,
                library=self._parts.library,
                nodes=self._parts.nodes,
                shelf=self._parts.shelf,
            )
        return self._known[name]
