"""App: the services, built in one place from settings; opening it touches no network."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from comfygen_mcp.app_compare import comparisons
from comfygen_mcp.app_index import open_gallery, open_index
from comfygen_mcp.app_offers import open_offers
from comfygen_mcp.app_store import open_store
from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.base import Backend
from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.config import Settings, is_s3
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.jobs.base import JobEngine, Watch
from comfygen_mcp.presets import Presets, load_presets
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.choice import Choice
from comfygen_mcp.services.comparison import ComparisonService
from comfygen_mcp.services.estimates import Estimates
from comfygen_mcp.services.gallery import Gallery
from comfygen_mcp.services.generation import GenerationService
from comfygen_mcp.services.inputs import Inputs, input_folders
from comfygen_mcp.services.listing import Listing
from comfygen_mcp.services.loras import LoraService
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.preparation import Preparation
from comfygen_mcp.services.references import Fetch, References
from comfygen_mcp.services.regeneration import Regeneration
from comfygen_mcp.services.regeneration_recipes import Recipes
from comfygen_mcp.services.resolve import Resolver
from comfygen_mcp.services.run_times import RunTimes
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
    comparisons: ComparisonService
    workflows: WorkflowService
    status: StatusService
    gallery: Gallery
    regeneration: Regeneration
    store: Store
    owner: str | None = None
    """Whose token the caller came with: it sees its own pictures and the shared ones. None sees all."""
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
    archive: Archive
    gallery: Gallery
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
    from comfygen_mcp.jobs.in_process import InProcessJobs

    async with (
        open_store(settings, environ) as store,
        open_index(settings, store) as index,
        open_gallery(settings, store, index) as gallery,
    ):
        archive = Archive(store, index=index, strip=_strips_before_storing(settings))
        parts = _parts(settings, environ, archive=archive, gallery=gallery, http=http)
        runner = Runner(
            backend_of=_Backends(parts).named,
            archive=parts.archive,
            incoming=settings.incoming,
            learn=parts.estimates.learn,
        )
        jobs = InProcessJobs(runner.run, on_finish=on_job_end)
        app = _app(parts, jobs)
        try:
            yield app
        finally:
            await app.comparisons.aclose()
            await jobs.aclose()
            await parts.clients.aclose()


def _strips_before_storing(settings: Settings) -> bool:
    """Tell whether files lose their metadata before they are stored: in a public bucket all are shared."""
    public = is_s3(settings.store) and settings.s3.public_read
    return settings.strip_metadata == "always" or (settings.strip_metadata == "shared" and public)


def _parts(
    settings: Settings, environ: Mapping[str, str], *, archive: Archive, gallery: Gallery, http: bool
) -> Parts:
    from comfygen_mcp.comfyui.client import ComfyUI
    from comfygen_mcp.comfyui.object_info import DeclarationCache
    from comfygen_mcp.comfyui.timing import Timing

    library = WorkflowLibrary(settings.workflow_dirs)
    timing = Timing(outage_s=settings.outage_s)
    declarations = DeclarationCache(settings.cache / "object_info")
    clients = Clients(lambda host: ComfyUI(host, timing=timing, declarations=declarations))
    return Parts(
        settings=settings,
        library=library,
        clients=clients,
        offers=open_offers(settings, library, environ),
        nodes=NodeClasses(clients),
        store=archive.store,
        archive=archive,
        gallery=gallery,
        shelf=InputShelf(archive.store),
        estimates=Estimates(RunTimes(settings.cache / "run_times.json")),
        http=http,
    )


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
    generation = GenerationService(
        preparation=preparation,
        catalogue=catalogue,
        estimates=parts.estimates,
        jobs=jobs,
        archive=parts.archive,
    )
    return App(
        settings=parts.settings,
        presets=presets,
        offers=parts.offers,
        catalogue=catalogue,
        generation=generation,
        comparisons=comparisons(parts.offers, catalogue, presets, generation, parts.store),
        workflows=_workflows(parts, catalogue),
        listing=Listing(offers=parts.offers, catalogue=catalogue, nodes=parts.nodes),
        loras=loras,
        status=StatusService(
            offers=parts.offers, catalogue=catalogue, clients=parts.clients, jobs=jobs, store=parts.store
        ),
        gallery=parts.gallery,
        regeneration=_regeneration(parts, presets, preparation, generation),
        store=parts.store,
    )


def _regeneration(
    parts: Parts, presets: Presets, preparation: Preparation, generation: GenerationService
) -> Regeneration:
    return Regeneration(
        preparation=preparation,
        generation=generation,
        offers=parts.offers,
        recipes=Recipes(
            library=parts.library, styles=presets.styles, settings=parts.settings, http=parts.http
        ),
        shelf=parts.shelf,
        now=lambda: datetime.now(UTC),
    )


def _inputs(parts: Parts) -> Inputs:
    return Inputs(
        stored=parts.gallery,
        shelf=parts.shelf,
        fetch=_fetch(parts.settings),
        folders=input_folders(parts.settings, Path.cwd(), parts.http),
        max_bytes=_most(parts.settings),
        http=parts.http,
    )


def _workflows(parts: Parts, catalogue: Catalogue) -> WorkflowService:
    source, stored = parts.offers.default_source, parts.gallery
    folders = input_folders(parts.settings, Path.cwd(), parts.http)
    references = References(stored, _fetch(parts.settings), folders, _most(parts.settings), parts.http)
    graphs = CallersGraphs(source=source, nodes=parts.nodes, references=references, stored=stored)
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
