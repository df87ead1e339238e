"""Tools that tell what can be chosen: models, presets, styles."""

from typing import Annotated

from mcp.types import CallToolResult, TextContent
from pydantic import Field

from comfygen_mcp.services.listing import ModelView, model_views
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.results import structured
from comfygen_mcp.tools.views import View


class ModelsView(View):
    """All models, best first."""

    models: list[ModelView]


class PresetView(View):
    """Sampling settings under a name."""

    name: str
    description: str
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    width: int | None
    height: int | None
    made_for: str


class StyleView(View):
    """A wrapper around the prompt."""

    name: str
    prompt: str
    negative: str


class PresetsView(View):
    """Everything presets.yaml holds."""

    presets: list[PresetView]
    styles: list[StyleView]
    lora_presets: list[str]


async def list_models(
    app: TheApp,
    ready_only: Annotated[bool, Field(description="Leave out models whose files are not installed")] = False,
) -> Annotated[CallToolResult, ModelsView]:
    """List the models that generate_image can use: ready or what is missing, size, steps, VRAM, licence."""
    views = await model_views(app.offers, app.catalogue)
    shown = [view for view in views if view.state == "ready" or not ready_only]
    lines = [_line(view) for view in shown]
    text = "\n".join(lines) or "No model is ready; call again with ready_only=false to see what is missing."
    return structured([TextContent(type="text", text=text)], ModelsView(models=shown))


async def list_presets(app: TheApp) -> Annotated[CallToolResult, PresetsView]:
    """List quality presets (steps, cfg, sampler, scheduler), styles and LoRA presets by name."""
    presets = app.presets
    view = PresetsView(
        presets=[
            PresetView(name=name, **preset.model_dump(include=set(PresetView.model_fields)))
            for name, preset in presets.presets.items()
        ],
        styles=[
            StyleView(name=name, prompt=style.prompt, negative=style.negative)
            for name, style in presets.styles.items()
        ],
        lora_presets=list(presets.lora_presets),
    )
    sd = [name for name, preset in presets.presets.items() if preset.made_for == "sd"]
    text = (
        f"Presets: {', '.join(presets.presets)} (made for SD-class models: {', '.join(sd)}; distilled models "
        f"keep their own steps and cfg unless force_preset).\nStyles: {', '.join(presets.styles)}.\n"
        f"LoRA presets: {', '.join(presets.lora_presets)}."
    )
    return structured([TextContent(type="text", text=text)], view)


def _line(view: ModelView) -> str:
    stand_in = (
        " (preview engine: no model is installed, pictures are stand-ins)" if view.preview_engine else ""
    )
    reason = f" - {view.reason}" if view.reason else ""
    return f"{view.name}: {view.state}{stand_in}{reason}"
