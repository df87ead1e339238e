"""Tools that make pictures from text and pictures, and read back what was made."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ContentBlock, TextContent
from pydantic import Field

from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import Crop, Graph
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.choice import wanted_kind
from comfygen_mcp.tools.arguments import (
    DryRun,
    Loras,
    Model,
    Negative,
    Preview,
    Seed,
    Size,
    Steps,
    WaitSeconds,
)
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import JobView
from comfygen_mcp.tools.results import PREVIEW_ENGINE_TEXT, link, preview_blocks, structured, where
from comfygen_mcp.tools.running import run_request
from comfygen_mcp.tools.views import GenerationView, generation_view


async def generate_image(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    prompt: Annotated[str, Field(description="What the picture shows")],
    negative: Negative = None,
    model: Model = None,
    size: Size = None,
    width: int | None = None,
    height: int | None = None,
    count: Annotated[int | None, Field(description="How many at once")] = None,
    seed: Seed = None,
    steps: Steps = None,
    cfg: float | None = None,
    sampler: str | None = None,
    scheduler: str | None = None,
    preset: Annotated[str | None, Field(description="From list_presets")] = None,
    force_preset: Annotated[bool, Field(description="Even on a distilled model")] = False,
    style: Annotated[str | None, Field(description="From list_presets")] = None,
    loras: Loras = None,
    lora_preset: str | None = None,
    image: Annotated[
        str | None, Field(description="Start from it: path, URL, data URI, generation_id")
    ] = None,
    mask: Annotated[str | None, Field(description="White is repainted")] = None,
    denoise: Annotated[
        float | None,
        Field(description="Of image: 0.3 subtle, 0.5 moderate, 0.7 strong, 0.9 mostly new"),
    ] = None,
    resize: Annotated[str | None, Field(description="Image to 'WxH' first")] = None,
    crop: Annotated[Crop | None, Field(description="How; extend outpaints")] = None,
    workflow: Annotated[str | None, Field(description="From list_workflows")] = None,
    dry_run: DryRun = False,
    wait_s: WaitSeconds = None,
    preview: Preview = "small",
) -> Annotated[CallToolResult, JobView]:
    """Make pictures from text, or from text and a picture (with mask: inpaint), and store them.

    Only prompt is needed: models have their own best steps, cfg, sampler and size. Returns a preview, the
    file's path or URL, the seed and all settings. What takes longer than wait_s goes on: see get_job.
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
        force_preset=force_preset,
        style=style,
        loras=parse_loras(loras),
        lora_preset=lora_preset,
        caller=caller,
    )
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)


async def get_generation(
    app: TheApp,
    generation_id: Annotated[str, Field(description="Id of one stored file, from a result")],
    graph: Annotated[bool, Field(description="Include the submitted ComfyUI graph")] = False,
    preview: Preview = "small",
) -> Annotated[CallToolResult, GenerationView]:
    """Read one stored picture's recipe: prompt, seed, settings, model, file, timings, maybe its graph.

    Works while every ComfyUI is off.
    """
    generation = await app.generation.find(generation_id)
    shown: Graph | None = generation.graph if graph else None
    view = await generation_view(generation, app, graph=shown)
    lines = [f"{generation.kind} with {generation.model}, seed {generation.seed}: {where(view.output)}"]
    if generation.preview_engine:
        lines.append(PREVIEW_ENGINE_TEXT)
    content: list[ContentBlock] = [TextContent(type="text", text="\n".join(lines))]
    if preview == "small":
        content += await preview_blocks(app, [generation])
    content.append(link(generation))
    return structured(content, view)
