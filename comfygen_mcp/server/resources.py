"""Resources: stored files and their recipes, workflows, presets and comparisons, for hosts to show."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Annotations, ListResourcesResult, Resource

from comfygen_mcp.errors import BadRequest, ComfygenError

if TYPE_CHECKING:
    from comfygen_mcp.app import App
    from comfygen_mcp.index.base import Entry
    from comfygen_mcp.models import Generation

PAGE = 50
"""Stored files of one page of the listing."""
TITLE_SHOWN = 60

_JSON = "application/json"
_FILE = "application/octet-stream"


def add_resources(server: MCPServer[Any]) -> None:
    """Let *server* read everything that has an address."""
    generation, comparison = (
        "comfygen://generations/{generation_id}",
        "comfygen://comparisons/{comparison_id}",
    )
    for uri, name, title, mime, read in (
        (generation, "generation", "The recipe of a stored file", _JSON, read_generation),
        (f"{generation}/image", "generation-image", "A stored file itself", _FILE, read_image),
        ("comfygen://workflows/{name}", "workflow", "A workflow file", _JSON, read_workflow),
        ("comfygen://presets{?name}", "presets", "Presets, styles and LoRA presets", _JSON, read_presets),
        (comparison, "comparison", "compare.json of a comparison", _JSON, read_comparison),
        (
            f"{comparison}/sheet",
            "contact-sheet",
            "The contact sheet of a comparison",
            "image/png",
            read_sheet,
        ),
    ):
        server.resource(uri, name=name, title=title, mime_type=mime)(read)


async def read_generation(generation_id: str, ctx: Context) -> str:
    """Return the sidecar of one stored file, as it is today; of another's, without what is private."""
    from comfygen_mcp.sidecar import to_json
    from comfygen_mcp.tools.sharing import as_seen
    from comfygen_mcp.tools.views import shown_url

    async with _reading(ctx) as app:
        generation = await as_seen(await _generation(app, generation_id), app)
        shown = generation.model_copy(update={"minio_url": shown_url(generation, app)})
        return to_json(shown).decode("utf-8")


async def read_image(generation_id: str, ctx: Context) -> bytes:
    """Return the bytes of one stored file."""
    async with _reading(ctx) as app:
        generation = await _generation(app, generation_id)
        if app.owner is not None and app.owner != generation.owner:
            return await app.gallery.read_shared(generation)
        return await app.gallery.read_output(generation)


async def read_workflow(name: str, ctx: Context) -> str:
    """Return a workflow with its metadata, as a file that could be run."""
    async with _reading(ctx) as app:
        workflow = app.offers.workflow(app.offers.find(name))
        metadata = workflow.metadata.model_dump(mode="json", exclude_none=True)
        return _json({"_workflow_metadata": metadata, **workflow.graph})


async def read_presets(ctx: Context, name: str | None = None) -> str:
    """Return all that presets.yaml holds, or one preset."""
    async with _reading(ctx) as app:
        return _json((app.presets if name is None else app.presets.preset(name)).model_dump(mode="json"))


async def read_comparison(comparison_id: str, ctx: Context) -> str:
    """Return compare.json."""
    from comfygen_mcp.compare import to_json

    async with _reading(ctx) as app:
        found = await app.comparisons.find(comparison_id, visible_to=app.owner)
        return to_json(found.comparison).decode("utf-8")


async def read_sheet(comparison_id: str, ctx: Context) -> bytes:
    """Return the contact sheet in full size."""
    async with _reading(ctx) as app:
        found = await app.comparisons.find(comparison_id, visible_to=app.owner)
        if found.comparison.sheet is None:
            raise BadRequest(f"Comparison {comparison_id} has no contact sheet yet.")
        return await app.store.read(found.comparison.sheet.key)


async def resource_page(app: "App", cursor: str | None) -> ListResourcesResult:
    """Return the presets and the newest stored files, then page by page the older ones."""
    from comfygen_mcp.index.base import Query

    page = await app.gallery.search(Query(visible_to=app.owner), limit=PAGE, cursor=cursor)
    listed = [_listed(entry) for entry in page.entries]
    first = [Resource(uri="comfygen://presets", name="presets", title="Presets", mime_type=_JSON)]
    return ListResourcesResult(resources=listed if cursor else first + listed, next_cursor=page.cursor)


def _listed(entry: "Entry") -> Resource:
    from comfygen_mcp.tools.untrusted import quoted

    return Resource(
        uri=f"comfygen://generations/{entry.id}/image",
        name=entry.key.rpartition("/")[2],
        title=quoted(entry.prompt, TITLE_SHOWN),
        description=f"Made {entry.created_at:%Y-%m-%d %H:%M} with {entry.backend or entry.model}",
        mime_type=entry.mime,
        size=entry.size_bytes,
        annotations=Annotations(last_modified=f"{entry.created_at:%Y-%m-%dT%H:%M:%SZ}"),
    )


@asynccontextmanager
async def _reading(ctx: Context) -> "AsyncGenerator[App]":
    """Yield the app as the caller sees it; our errors become those of the protocol."""
    from comfygen_mcp.tools.context import the_app

    try:
        yield await the_app(ctx)
    except BadRequest as reason:
        raise ResourceNotFoundError(str(reason)) from reason
    except ComfygenError as reason:
        raise ResourceError(str(reason)) from reason


async def _generation(app: "App", generation_id: str) -> "Generation":
    return await app.gallery.find(generation_id, visible_to=app.owner)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
