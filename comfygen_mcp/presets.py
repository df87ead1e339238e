"""Presets, styles and LoRA presets: named settings from presets.yaml and the user's own file."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from comfygen_mcp.config_file import Document, Keys, read_document
from comfygen_mcp.errors import BadConfiguration, UnknownName
from comfygen_mcp.models import LoraUse, Record, Scalar
from comfygen_mcp.names import nearest_names

_PLACE = "{prompt}"
_T = TypeVar("_T")
_SETTINGS = ("steps", "cfg", "sampler", "scheduler", "width", "height")


class Preset(Record):
    """Named sampler settings; `made_for: sd` marks values that only suit SD-class models."""

    description: str = ""
    made_for: Literal["sd", "any"] = "any"
    steps: int | None = Field(default=None, ge=1, le=10_000)
    cfg: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)


class Style(Record):
    """A prompt wrapper; `{prompt}` stands for what the caller wrote."""

    description: str = ""
    prompt: str = _PLACE
    negative: str = ""

    @field_validator("prompt")
    @classmethod
    def _has_a_place_for_the_prompt(cls, prompt: str) -> str:
        if _PLACE not in prompt:
            raise ValueError(f"it must contain {_PLACE}, where the caller's prompt goes")
        return prompt


class LoraPreset(Record):
    """LoRAs that belong together, in the order in which they are chained."""

    description: str = ""
    loras: tuple[LoraUse, ...]


class Presets(Record):
    """All named settings, by name."""

    presets: dict[str, Preset] = Field(default_factory=dict[str, Preset])
    styles: dict[str, Style] = Field(default_factory=dict[str, Style])
    lora_presets: dict[str, LoraPreset] = Field(default_factory=dict[str, LoraPreset])

    def preset(self, name: str) -> Preset:
        """Return the preset called *name*; raises UnknownName."""
        return _entry("preset", name, self.presets)

    def style(self, name: str) -> Style:
        """Return the style called *name*; raises UnknownName."""
        return _entry("style", name, self.styles)

    def lora_preset(self, name: str) -> LoraPreset:
        """Return the LoRA preset called *name*; raises UnknownName."""
        return _entry("LoRA preset", name, self.lora_presets)

    def merged(self, own: "Presets") -> "Presets":
        """Return both together; entries of *own* replace those of the same name."""
        return Presets(
            presets={**self.presets, **own.presets},
            styles={**self.styles, **own.styles},
            lora_presets={**self.lora_presets, **own.lora_presets},
        )


def bundled_presets_file() -> Path:
    """Return presets.yaml: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "presets.yaml"
    return installed if installed.is_file() else package.parent / "presets.yaml"


def load_presets(user_file: Path | None = None) -> Presets:
    """Read the bundled presets, then the user's over them; raises BadConfiguration."""
    bundled = _read(bundled_presets_file())
    return bundled if user_file is None else bundled.merged(_read(user_file.expanduser()))


def apply_style(style: Style, prompt: str, negative: str = "") -> tuple[str, str]:
    """Return prompt and negative prompt in *style*; braces inside the caller's prompt mean nothing."""
    wrapped = style.prompt.replace(_PLACE, prompt)
    return wrapped, ", ".join(part for part in (negative.strip(), style.negative) if part)


def preset_values(
    preset: Preset, *, distilled: bool, force: bool, name: str = ""
) -> tuple[dict[str, Scalar], tuple[str, ...]]:
    """Return placeholder → value of *preset*, and notes on what was left out.

    A preset made for SD-class models does not set the sampling of a distilled one unless *force*: many
    steps and a high cfg burn its pictures, and ancestral samplers or karras schedules miss the few noise
    levels that it was distilled for.
    """
    values: dict[str, Scalar] = {
        knob: value for knob in _SETTINGS if (value := getattr(preset, knob)) is not None
    }
    if not distilled or force or preset.made_for == "any":
        return values, ()
    size = {knob: value for knob, value in values.items() if knob in ("width", "height")}
    kept = ", ".join(knob for knob in values if knob not in size)
    note = (
        f"Preset {name!r} is made for SD 1.5 and SDXL. This model is of another kind, so it keeps its own "
        f"{kept}: the preset's would spoil the picture. force_preset applies them all the same."
    )
    return size, (note,) if kept else ()


def _entry(kind: str, name: str, entries: dict[str, _T]) -> _T:
    if name not in entries:
        raise UnknownName(
            kind, name, entries, hint="Your own go into the file that `presets:` in comfygen.yaml names."
        )
    return entries[name]


def _read(file: Path) -> Presets:
    document = read_document(file)
    sections = {key: value for key, value in document.values.items() if value is not None}
    try:
        return Presets.model_validate(sections)
    except ValidationError as error:
        raise BadConfiguration(_problem(error.errors()[0], document)) from error


def _problem(error: ErrorDetails, document: Document) -> str:
    keys: Keys = error["loc"]
    place = f"{document.place_in_words(keys)}: {'.'.join(str(key) for key in keys)}"
    if error["type"] != "extra_forbidden":
        return f"{place}: {error['msg'].removeprefix('Value error, ')}."
    known = _keys_at(keys)
    near = nearest_names(str(keys[-1]), known, limit=1)
    meant = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
    return f"{place} is not a known key. {meant}"


def _keys_at(keys: Keys) -> tuple[str, ...]:
    records = {"presets": Preset, "styles": Style, "lora_presets": LoraPreset}
    record = Presets if len(keys) == 1 else records[str(keys[0])] if len(keys) == 3 else LoraUse
    return tuple(record.model_fields)
