"""The tool that makes videos, from text or from a picture."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.tools.arguments import (
    DryRun,
    Model,
    Negative,
    Preview,
    SameLoras,
    Seed,
    Steps,
    WaitSeconds,
)
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import JobView
from comfygen_mcp.tools.running import run_request


async def generate_video(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    prompt: Annotated[str, Field(description="Subject, motion, camera, light")],
    image: Annotated[str | None, Field(description="First frame")] = None,
    negative: Negative = None,
    model: Model = None,
    size: Annotated[str | None, Field(description="'848x480', '16:9'")] = None,
    seconds: Annotated[float | None, Field(description="Default about 5")] = None,
    frames: Annotated[int | None, Field(description="Instead of seconds")] = None,
    fps: float | None = None,
    seed: Seed = None,
    steps: Steps = None,
    loras: SameLoras = None,
    lora_preset: str | None = None,
    dry_run: DryRun = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Make an MP4 from text, or from a picture and text, and store it with a still of its first frame.

    Takes minutes: expect a job id for get_job.
    """
    request = GenerateRequest(
        kind="txt2video" if image is None else "img2video",
        prompt=prompt,
        images=() if image is None else (image,),
        negative=negative,
        model=model,
        size=size,
        seconds=seconds,
        frames=frames,
        fps=fps,
        seed=seed,
        steps=steps,
        loras=parse_loras(loras),
        lora_preset=lora_preset,
        caller=caller,
    )
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)
