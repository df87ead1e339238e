"""Tools that make pictures and read back what was made."""

import time
from typing import Annotated, Literal

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ContentBlock, TextContent
from pydantic import Field

from comfygen_mcp.models import Graph
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.tools.attendance import attend
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.results import (
    PREVIEW_ENGINE_TEXT,
    job_result,
    link,
    preview_blocks,
    raise_if_failed,
    structured,
    where,
)
from comfygen_mcp.tools.views import GenerationView, JobView, generation_view

MAX_WAIT_S = 45
"""Clients cut a call at about 60 s: a tool answers before that, with the result or a job id."""

WaitSeconds = Annotated[
    float | None, Field(ge=0, le=MAX_WAIT_S, description="Seconds to wait; then the job id is returned")
]
Preview = Annotated[Literal["small", "none"], Field(description="Show a small picture in the result")]


async def generate_image(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    prompt: Annotated[str, Field(description="What the picture shows")],
    negative: Annotated[str | None, Field(description="What to avoid (ignored by distilled models)")] = None,
    model: Annotated[
        str | None, Field(description="Name from list_models; default: the best one ready")
    ] = None,
    size: Annotated[
        str | None,
        Field(description="'1216x832', a ratio like '16:9', or square, portrait, landscape, wide, tall"),
    ] = None,
    width: Annotated[int | None, Field(description="Pixels, instead of size")] = None,
    height: Annotated[int | None, Field(description="Pixels, instead of size")] = None,
    seed: Annotated[
        int | str | None,
        Field(description="Repeat a picture; up to 2^64-1 (as text above 2^53). Default: new"),
    ] = None,
    steps: Annotated[int | None, Field(description="Sampling steps; default: the model's own")] = None,
    cfg: Annotated[float | None, Field(description="Guidance scale; default: the model's own")] = None,
    sampler: str | None = None,
    scheduler: str | None = None,
    preset: Annotated[str | None, Field(description="Quality preset from list_presets")] = None,
    force_preset: Annotated[bool, Field(description="Apply the preset to a distilled model too")] = False,
    style: Annotated[
        str | None, Field(description="Style from list_presets, wrapped around the prompt")
    ] = None,
    workflow: Annotated[str | None, Field(description="Workflow name, instead of the model's own")] = None,
    wait_s: WaitSeconds = None,
    preview: Preview = "small",
) -> Annotated[CallToolResult, JobView]:
    """Make a picture from text and store it with its full recipe.

    Returns a small preview, the stored file's path or URL, the actual seed and all settings. A picture
    that is not ready after wait_s seconds goes on; follow it with get_job. Does not edit pictures.
    """
    request = GenerateRequest(
        prompt=prompt,
        negative=negative,
        model=model,
        workflow=workflow,
        size=size,
        width=width,
        height=height,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        scheduler=scheduler,
        preset=preset,
        force_preset=force_preset,
        style=style,
        caller=caller,
    )
    began = time.monotonic()
    job = await app.generation.start(request)
    bound = app.settings.wait_s if wait_s is None else wait_s
    remaining = max(bound - (time.monotonic() - began), 0)
    state = await attend(app, ctx, job.id, wait_s=remaining, owner=True)
    raise_if_failed(state)
    return await job_result(app, state, show_preview=preview == "small")


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
        content += await preview_blocks(app, generation)
    content.append(link(generation))
    return structured(content, view)
