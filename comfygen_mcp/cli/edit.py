"""`comfygen edit`, `upscale` and `video`: what is made of a picture, and moving ones."""

from typing import Annotated

import typer

from comfygen_mcp.cli.knobs import (
    AsJson,
    DryRun,
    Lora,
    LoraPreset,
    Metadata,
    Model,
    Negative,
    Output,
    Seed,
    SizeText,
    Steps,
)
from comfygen_mcp.cli.running import run_request
from comfygen_mcp.cli.session import Options
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models_request import GenerateRequest

Picture = Annotated[str, typer.Argument(metavar="IMAGE", help="A file, URL or generation id.")]


def edit(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    image: Picture,
    instruction: Annotated[str, typer.Argument(metavar="INSTRUCTION", help="'make it winter' ...")],
    reference: Annotated[
        list[str] | None, typer.Option("--reference", "-r", help="One more picture; at most two.")
    ] = None,
    model: Model = None,
    count: Annotated[int | None, typer.Option("--count", "-n", help="Pictures to make at once.")] = None,
    seed: Seed = None,
    steps: Steps = None,
    lora: Lora = None,
    output: Output = None,
    metadata: Metadata = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Change a picture as an instruction says, keeping the rest."""

    def request() -> GenerateRequest:
        return GenerateRequest(
            kind="edit",
            prompt=instruction,
            images=(image, *(reference or ())),
            model=model,
            count=count,
            seed=seed,
            steps=steps,
            loras=parse_loras(lora or ()),
            metadata=metadata,
            caller="cli",
        )

    run_request(Options(ctx.obj), request, output=output, as_json=as_json, dry_run=dry_run)


def upscale(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    image: Picture,
    scale: Annotated[float | None, typer.Option(help="1 to 8; default 2.")] = None,
    upscale_model: Annotated[str | None, typer.Option(help="File in models/upscale_models.")] = None,
    model: Model = None,
    output: Output = None,
    metadata: Metadata = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Enlarge a picture."""

    def request() -> GenerateRequest:
        return GenerateRequest(
            kind="upscale",
            images=(image,),
            scale=scale,
            upscale_model=upscale_model,
            model=model,
            metadata=metadata,
            caller="cli",
        )

    run_request(Options(ctx.obj), request, output=output, as_json=as_json, dry_run=dry_run)


def video(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What happens: subject, motion, camera.")],
    input_image: Annotated[
        str | None, typer.Option("--input-image", "--image", "-i", help="First frame: a file, URL or id.")
    ] = None,
    negative: Negative = None,
    model: Model = None,
    size: SizeText = None,
    seconds: Annotated[float | None, typer.Option(help="Length; default: the model's own.")] = None,
    frames: Annotated[int | None, typer.Option(help="Length, instead of --seconds.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames a second; default: the model's own.")] = None,
    seed: Seed = None,
    steps: Steps = None,
    lora: Lora = None,
    lora_preset: LoraPreset = None,
    output: Output = None,
    metadata: Metadata = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a video from text, or from a picture and text."""

    def request() -> GenerateRequest:
        return GenerateRequest(
            kind="txt2video" if input_image is None else "img2video",
            prompt=prompt,
            images=() if input_image is None else (input_image,),
            negative=negative,
            model=model,
            size=size,
            seconds=seconds,
            frames=frames,
            fps=fps,
            seed=seed,
            steps=steps,
            loras=parse_loras(lora or ()),
            lora_preset=lora_preset,
            metadata=metadata,
            caller="cli",
        )

    run_request(Options(ctx.obj), request, output=output, as_json=as_json, dry_run=dry_run)
