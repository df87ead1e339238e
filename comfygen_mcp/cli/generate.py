"""`comfygen generate`: a picture from the command line, from text or from another picture."""

from typing import Annotated

import typer

from comfygen_mcp.cli.knobs import (
    AsJson,
    Cfg,
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
from comfygen_mcp.cli.listings import loras
from comfygen_mcp.cli.running import run_request
from comfygen_mcp.cli.session import Options
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models import Crop
from comfygen_mcp.models_request import GenerateRequest


def generate(  # noqa: PLR0913, PLR0917 - each option is one knob of the request
    ctx: typer.Context,
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What the picture shows.")] = None,
    prompt_option: Annotated[str | None, typer.Option("--prompt", help="The same, as an option.")] = None,
    model: Model = None,
    negative: Negative = None,
    size: SizeText = None,
    width: Annotated[int | None, typer.Option(help="Pixels, instead of --size.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels, instead of --size.")] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", help="Pictures to make at once.")] = None,
    seed: Seed = None,
    steps: Steps = None,
    cfg: Cfg = None,
    sampler: Annotated[str | None, typer.Option(help="Sampler; default: the model's own.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Scheduler; default: the model's own.")] = None,
    preset: Annotated[str | None, typer.Option(help="Quality preset from `comfygen presets`.")] = None,
    force_preset: Annotated[bool, typer.Option("--force-preset", help="Even on a distilled model.")] = False,
    style: Annotated[str | None, typer.Option(help="Style from `comfygen presets`.")] = None,
    lora: Lora = None,
    lora_preset: LoraPreset = None,
    list_loras: Annotated[bool, typer.Option("--list-loras", help="List the LoRAs and leave.")] = False,
    input_image: Annotated[
        str | None, typer.Option("--input-image", "--image", "-i", help="Start from it: a file, URL or id.")
    ] = None,
    mask: Annotated[str | None, typer.Option(help="Repaint only what is white in this picture.")] = None,
    denoise: Annotated[
        float | None, typer.Option(help="Change to the input: 0.3 subtle, 0.7 strong, 0.9 mostly new.")
    ] = None,
    resize: Annotated[str | None, typer.Option(help="Bring the input to WxH first.")] = None,
    crop: Annotated[Crop | None, typer.Option(help="How; extend paints around it (outpaint).")] = None,
    workflow: Annotated[str | None, typer.Option(help="Workflow name or API-format JSON file.")] = None,
    output: Output = None,
    metadata: Metadata = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a picture and store it with its recipe."""
    if list_loras:
        loras(ctx, model=model, as_json=as_json)
        return

    def request() -> GenerateRequest:
        return GenerateRequest(
            prompt=_prompt(prompt, prompt_option),
            negative=negative,
            model=model,
            workflow=workflow,
            images=() if input_image is None else (input_image,),
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
            loras=parse_loras(lora or ()),
            lora_preset=lora_preset,
            metadata=metadata,
            caller="cli",
        )

    run_request(Options(ctx.obj), request, output=output, as_json=as_json, dry_run=dry_run)


def _prompt(argument: str | None, option: str | None) -> str:
    if argument is not None and option is not None:
        raise BadRequest("The prompt is given twice, as PROMPT and as --prompt. Give it once.")
    return argument or option or ""
