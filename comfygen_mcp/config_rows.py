"""The effective settings as rows for people: setting, value, source; secrets are hidden."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, SecretStr

from comfygen_mcp.config import BackendBlock, FromEnvironment, Loaded
from comfygen_mcp.config_blocks import sounds_secret
from comfygen_mcp.config_environment import SECTIONS
from comfygen_mcp.config_fields import Settings

HIDDEN = "(set, hidden)"
HIDDEN_KNOB = "***"


@dataclass(frozen=True)
class Row:
    """One setting; *source* is `default`, `comfygen.yaml:12` or `environment COMFYGEN_STORE`."""

    setting: str
    value: str
    source: str


def describe(loaded: Loaded) -> list[Row]:
    """Return every setting of *loaded*; of the backends, only what was given."""
    return [
        Row(setting, _text(value), loaded.sources.get(setting, "default"))
        for setting, value in _settings(loaded.settings, loaded.sources)
    ]


def _settings(settings: Settings, sources: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name in Settings.model_fields:
        if name in SECTIONS:
            group = getattr(settings, name)
            yield from ((f"{name}.{inner}", getattr(group, inner)) for inner in SECTIONS[name].model_fields)
        elif name != "backends":
            yield name, getattr(settings, name)
    for block in settings.backends.values():
        yield from _given(block, sources)


def _given(block: BackendBlock, sources: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    knobs = {name: HIDDEN_KNOB if sounds_secret(name) else value for name, value in block.knobs.items()}
    for name, value in {**dict(block), **knobs}.items():
        setting = f"backends.{block.name}.{name}"
        if name == "workflow" or sources.get(setting, "default") != "default":
            yield setting, value


def _text(value: Any) -> str:
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, tuple):
        return ", ".join(_text(item) for item in cast("tuple[Any, ...]", value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in cast("dict[str, Any]", value).items())
    return _text_of_one(value)


def _text_of_one(value: Any) -> str:
    match value:
        case SecretStr():
            return HIDDEN
        case FromEnvironment():
            return f"(hidden, from {value.env})"
        case BaseModel():
            return ", ".join(f"{key} {inner}" for key, inner in value.model_dump(exclude_none=True).items())
        case bool():
            return str(value).lower()
        case _:
            return str(value)
