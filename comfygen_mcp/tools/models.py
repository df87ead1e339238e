"""Tools that tell what can be chosen: models, presets, styles."""

from collections.abc import Sequence
from typing import Annotated

from mcp.types import CallToolResult
from pydantic import Field

from comfygen_mcp.models import LoraTarget, LoraUse, RequiredFile
from comfygen_mcp.presets import LoraPreset
from comfygen_mcp.services.model_view import ModelView
from comfygen_mcp.tools.compact import compact
from comfygen_mcp.tools.context import TheApp
from comfygen_mcp.tools.model_text import (
    detail_text,
    models_text,
    recommendation_text,
    unreachable_hosts,
)
from comfygen_mcp.tools.views import View


class ModelsView(View):
    """Models, best first; what a model does not have, or is false, is left out.

    *unreachable* says why a host does not answer, for all models on it.
    """

    models: list[ModelView]
    unreachable: dict[str, str] = Field(default_factory=dict)


class PresetView(View):
    """Sampling settings under a name."""

    name: str
    description: str
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = None
    height: int | None = None
    made_for: str


class StyleView(View):
    """A wrapper around the prompt."""

    name: str
    prompt: str
    negative: str


class PresetLoraView(View):
    """One LoRA of a preset."""

    name: str
    strength: float
    strength_clip: float | None = None
    target: LoraTarget | None = None


class LoraPresetView(View):
    """LoRAs that are used together."""

    name: str
    description: str
    loras: list[PresetLoraView]


class PresetsView(View):
    """Everything presets.yaml holds."""

    presets: list[PresetView]
    styles: list[StyleView]
    lora_presets: list[LoraPresetView]


async def list_models(
    app: TheApp,
    task: Annotated[str | None, Field(description="Recommend, e.g. 'edit a photo'")] = None,
    model: Annotated[str | None, Field(description="One in full")] = None,
    ready_only: bool | None = None,
) -> Annotated[CallToolResult, ModelsView]:
    """List models: ready or what is missing, settings, licence."""
    if model is not None:
        view = await app.listing.model(model)
        return compact(detail_text(view), ModelsView(models=[view]))
    views = await (app.listing.models() if task is None else app.listing.recommended(task))
    shown = [view for view in views if view.state == "ready" or not ready_only]
    if task is not None:
        return compact(recommendation_text(task, shown), ModelsView(models=shown))
    rows = [_row(view) for view in shown]
    return compact(models_text(shown), ModelsView(models=rows, unreachable=unreachable_hosts(shown)))


async def list_presets(app: TheApp) -> Annotated[CallToolResult, PresetsView]:
    """List presets, styles and LoRA presets."""
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
        lora_presets=[
            LoraPresetView(
                name=name,
                description=preset.description,
                loras=[PresetLoraView(**use.model_dump()) for use in preset.loras],
            )
            for name, preset in presets.lora_presets.items()
        ],
    )
    sd = [name for name, preset in presets.presets.items() if preset.made_for == "sd"]
    names = f"{', '.join(presets.presets)} (made for SD-class models: {', '.join(sd)}; distilled models"
    lines = [
        f"Presets: {names} keep their own steps and cfg unless force_preset).",
        f"Styles: {', '.join(presets.styles)}.",
        "LoRA presets:",
        *(_lora_line(name, preset) for name, preset in presets.lora_presets.items()),
    ]
    return compact("\n".join(lines), view)


_OF_INSTALLED = ("model_file", "sampler", "scheduler", "sizes", "lengths")
"""What a list of many tells only of models that can run."""


def _row(view: ModelView) -> ModelView:
    """Return *view* as one of many: of what is not installed the files, of an absent host nothing more."""
    if view.state == "unreachable":
        return view.model_copy(update={"reason": ""})
    if not view.missing:
        return view
    files = tuple(RequiredFile(file=entry.file, folder=entry.folder) for entry in view.missing)
    return view.model_copy(update={**dict.fromkeys(_OF_INSTALLED, ""), "missing": files})


def _lora_line(name: str, preset: LoraPreset) -> str:
    return f"- {name}: {preset.description} ({_names(preset.loras)})"


def _names(uses: Sequence[LoraUse]) -> str:
    return ", ".join(f"{use.name}:{use.strength:g}" for use in uses)
