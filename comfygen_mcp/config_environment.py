"""Which environment variables are settings, and what they set."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from comfygen_mcp.config_fields import EngineSettings, HttpSettings, Settings
from comfygen_mcp.config_file import Keys
from comfygen_mcp.config_s3 import S3Settings
from comfygen_mcp.models import Record
from comfygen_mcp.names import nearest_names

CONFIG_VARIABLE = "COMFYGEN_CONFIG"
"""Names the configuration file."""

PREFIX = "COMFYGEN_"
SECTIONS: dict[str, type[Record]] = {"engine": EngineSettings, "http": HttpSettings, "s3": S3Settings}

_SECRETS = ("COMFYGEN_S3_ACCESS_KEY", "COMFYGEN_S3_SECRET_KEY")
"""Variables that are read where they are needed; they set nothing here."""
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def variables() -> dict[str, Keys]:
    """Return every variable that sets something, and what it sets; lists are separated by commas."""
    named: dict[str, Keys] = {_variable(keys): keys for keys, _ in _overridable()}
    return {**named, "COMFYGEN_TOKEN": ("http", "token")}


def overrides(environ: Mapping[str, str]) -> dict[Keys, tuple[str, Any]]:
    """Return setting → (variable, value) for the variables that are set; empty ones count as not set.

    A value that is no number where one is wanted stays text, for the check of all settings to refuse.
    """
    fields = dict(_overridable())
    found: dict[Keys, tuple[str, Any]] = {}
    for name, keys in variables().items():
        text = environ.get(name, "")
        if text.strip() or (text == "" and name in environ and keys == ("http", "token")):
            found[keys] = (name, _typed(text, fields[keys]))
    return found


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return one note per `COMFYGEN_…` variable that sets nothing."""
    known = [*variables(), CONFIG_VARIABLE, *_SECRETS]
    strangers = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    return tuple(_stranger(name, known) for name in strangers)


def _overridable() -> Iterator[tuple[Keys, FieldInfo]]:
    for name, info in Settings.model_fields.items():
        if name in SECTIONS:
            yield from (((name, inner), field) for inner, field in SECTIONS[name].model_fields.items())
        elif name != "backends":
            yield (name,), info


def _variable(keys: Keys) -> str:
    if keys == ("comfyui_url",):
        return "COMFYUI_URL"
    return PREFIX + "_".join(str(key) for key in keys).upper()


def _typed(text: str, field: FieldInfo) -> Any:
    wanted = str(field.annotation)
    if "dict" in wanted:
        return _named(text)
    if "tuple" in wanted:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if "Secret" in wanted:
        return text
    if "bool" in wanted:
        return _BOOLEANS.get(text.strip().casefold(), text)
    try:
        return int(text) if "int" in wanted else float(text) if "float" in wanted else text.strip()
    except ValueError:
        return text


def _named(text: str) -> Any:
    """Read `name=value,name=value`; text of another form is left for the check to refuse."""
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if not all(separator for _, separator, _ in parts):
        return text
    return {name.strip(): value.strip() for name, _, value in parts}


def _stranger(name: str, known: list[str]) -> str:
    near = nearest_names(name, known, limit=1, cutoff=0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"The environment variable {name} is not a setting and has no effect.{hint}"
