"""Tools that make pictures from text and pictures, and read back what was made."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ContentBlock, TextContent
from pydantic import Field

from comfygen_mcp.app import App
from comfygen_mcp.errors import IndexFailed
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import Crop, Generation, Graph
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.choice import wanted_kind
from comfygen_mcp.services.regeneration_check import Reproduction
from comfygen_mcp.tools.arguments import (
    Loras,
    Negative,
    Preview,
    Size,
    Steps,
    WaitSeconds,
)
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import JobView
from comfygen_mcp.tools.regenerate import reproduction, reproduction_text
from comfygen_mcp.tools.results import PREVIEW_ENGINE_TEXT, link, preview_blocks, structured, where
from comfygen_mcp.tools.running import run_request
from comfygen_mcp.tools.sharing import as_seen
from comfygen_mcp.tools.untrusted import NOTICE, harmless
from comfygen_mcp.tools.views import GenerationView, generation_view

CHILDREN_SHOWN = 20


async def generate_image(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    prompt: Annotated[str, Field(description="What the picture shows")],
    negative: Negative = None,
    model: Annotated[str | None, Field(description="From list_models; default: best ready")] = None,
    size: Size = None,
    width: int | None = None,
    height: int | None = None,
    count: Annotated[int | None, Field(description="How many at once")] = None,
    seed: Annotated[int | str | None, Field(description="Repeats a result; text above 2^53")] = None,
    steps: Steps = None,
    cfg: float | None = None,
    sampler: str | None = None,
    scheduler: str | None = None,
    preset: Annotated[str | None, Field(description="From list_presets")] = None,
    force_preset: Annotated[bool | None, Field(description="Even on a distilled model")] = None,
    style: Annotated[str | None, Field(description="From list_presets")] = None,
    loras: Loras = None,
    lora_preset: str | None = None,
    image: Annotated[
        str | None, Field(description="Start from it: path, URL, data URI, generation_id")
    ] = None,
    mask: Annotated[str | None, Field(description="White is repainted")] = None,
    denoise: Annotated[
        float | None,
        Field(description="Of image: 0.3 subtle, 0.5 moderate, 0.7 strong"),
    ] = None,
    resize: Annotated[str | None, Field(description="Image to 'WxH' first")] = None,
    crop: Annotated[Crop | None, Field(description="How; extend outpaints")] = None,
    workflow: Annotated[str | None, Field(description="From list_workflows")] = None,
    dry_run: Annotated[bool | None, Field(description="Send nothing")] = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Make pictures from text, or from text and a picture (with mask: inpaint), and store them.

    Only prompt is needed. Returns a preview, the file's path or URL, the seed and all settings, or after
    wait_s a job id for get_job.
    """
    given = GenerateRequest(images=() if image is None else (image,), mask=mask, crop=crop)
    request = GenerateRequest(
        kind=None if workflow else wanted_kind(given),
        prompt=prompt,
        negative=negative,
        model=model,
        workflow=workflow,
        images=given.images,
        mask=mask,
        denoise=denoise,
        resize=resize,
        crop=crop,
        size=size,
        width=width,
        height=height,
        count=count,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        scheduler=scheduler,
        preset=preset,
        force_preset=bool(force_preset),
        style=style,
        loras=parse_loras(loras),
        lora_preset=lora_preset,
        caller=caller,
    )
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)


class StoredView(GenerationView):
    """One stored file as it is today; *children* are the newest of those that were made from it."""

    untrusted: str = NOTICE
    children: list[str]
    reproduction: Reproduction | None


async def get_generation(
    app: TheApp,
    generation_id: str,
    graph: Annotated[bool | None, Field(description="With its ComfyUI graph")] = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, StoredView]:
    """Read a stored picture's recipe, file, tags and children."""
    stored = await app.gallery.find(generation_id, visible_to=app.owner)
    generation = await as_seen(stored, app)
    shown: Graph | None = generation.graph or None if graph else None
    known = await generation_view(generation, app, graph=shown)
    view = StoredView(
        **harmless(known.model_dump()),
        children=await children_of(app, generation),
        reproduction=await reproduction(app, stored),
    )
    lines = [f"{generation.kind} with {generation.model}, seed {generation.seed}: {where(view.output)}"]
    lines += [f"{len(view.children)} made from it: {', '.join(view.children)}"] if view.children else []
    lines += [reproduction_text(view.reproduction)] if view.reproduction else []
    if generation.preview_engine:
        lines.append(PREVIEW_ENGINE_TEXT)
    content: list[ContentBlock] = [TextContent(type="text", text="\n".join(lines))]
    if preview != "none":
        content += await preview_blocks(app, [generation])
    content.append(link(generation))
    return structured(content, view)


async def children_of(app: App, generation: Generation) -> list[str]:
    """Return the ids of the newest that were made from *generation*."""
    try:
        found = await app.gallery.children(generation.id, visible_to=app.owner)
    except IndexFailed:
        # The record itself came from the store: it is shown without what only the index knows.
        return []
    return [entry.id for entry in found[:CHILDREN_SHOWN]]
