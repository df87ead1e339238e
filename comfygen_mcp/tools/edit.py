"""Tools that work on a picture: edit by instruction, upscale."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.tools.arguments import DryRun, Model, Picture, Preview, SameLoras, Seed, Steps, WaitSeconds
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import JobView
from comfygen_mcp.tools.running import run_request


async def edit_image(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    image: Picture,
    instruction: Annotated[str, Field(description="'make it winter', 'remove the car'")],
    references: Annotated[
        list[str] | None,
        Field(description="Up to 2 more: 'image 2', 'image 3'"),
    ] = None,
    model: Model = None,
    count: int | None = None,
    seed: Seed = None,
    steps: Steps = None,
    loras: SameLoras = None,
    dry_run: DryRun = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Change a picture as an instruction says, keep the rest, and store the result as a new one.

    To repaint a masked part, or vary a picture: generate_image.
    """
    request = GenerateRequest(
        kind="edit",
        prompt=instruction,
        images=(image, *(references or ())),
        model=model,
        count=count,
        seed=seed,
        steps=steps,
        loras=parse_loras(loras),
        caller=caller,
    )
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)


async def upscale_image(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    image: Picture,
    scale: Annotated[float | None, Field(description="1 to 8; default 2")] = None,
    upscale_model: Annotated[str | None, Field(description="File name")] = None,
    model: Model = None,
    dry_run: DryRun = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Enlarge a picture and store the result as a new one."""
    request = GenerateRequest(
        kind="upscale",
        images=(image,),
        scale=scale,
        upscale_model=upscale_model,
        model=model,
        caller=caller,
    )
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)
