"""Finds and reads the configuration: a file, overridden by the environment, over defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from comfygen_mcp.config_blocks import Auth, BackendBlock, FromEnvironment, checked_url, host_of
from comfygen_mcp.config_check import BLOCK_KEYS, block_values, checked_settings
from comfygen_mcp.config_environment import CONFIG_VARIABLE, SECTIONS, overrides, unknown_variables
from comfygen_mcp.config_fields import (
    APP_NAME,
    EngineSettings,
    HttpSettings,
    Settings,
    user_config_folder,
    user_data_folder,
)
from comfygen_mcp.config_file import Document, Keys, read_document, section
from comfygen_mcp.config_s3 import S3Settings, is_s3, s3_keys, s3_place
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.models import JsonValue

__all__ = [
    "Auth",
    "BackendBlock",
    "EngineSettings",
    "FromEnvironment",
    "HttpSettings",
    "Loaded",
    "S3Settings",
    "Settings",
    "checked_url",
    "host_of",
    "is_s3",
    "load_settings",
    "read_environment",
    "s3_keys",
    "s3_place",
]

FILE_NAME = "comfygen.yaml"

_PATHS: tuple[Keys, ...] = (
    ("store",),
    ("spool",),
    ("incoming",),
    ("index",),
    ("presets",),
    ("engine", "folder"),
    ("cache",),
)
_LISTS_OF_PATHS: tuple[Keys, ...] = (("workflow_dirs",), ("input_dirs",))


@dataclass(frozen=True)
class Loaded:
    """The effective settings; *sources* says per setting where its value came from.

    Sources are `default`, `comfygen.yaml:12` or `environment COMFYGEN_STORE`. *notes* are warnings.
    """

    settings: Settings
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    file: Path | None = None
    notes: tuple[str, ...] = ()


def read_environment() -> dict[str, str]:
    """Return a copy of this process's environment: the one place that reads it."""
    return dict(os.environ)


def load_settings(*, environ: Mapping[str, str], cwd: Path, config_file: Path | None = None) -> Loaded:
    """Return the effective settings; raises BadConfiguration when anything given is wrong.

    The file is the first of *config_file*, `COMFYGEN_CONFIG`, `./comfygen.yaml` and the user's own one.
    """
    file = _find_file(environ, cwd, config_file)
    document = read_document(file) if file else Document(FILE_NAME)
    values, notes = _from_document(document)
    values = _with_places(values, (file.parent if file else cwd), environ)
    from_environment = overrides(environ)
    for keys, (_, value) in from_environment.items():
        _put(values, keys, _placed(keys, value, cwd, environ))
    _put_default_folders(values, environ)
    variables = {keys: name for keys, (name, _) in from_environment.items()}
    settings = checked_settings(values, lambda keys: _place_in_words(file and document, variables, keys))
    sources = _sources(settings, document, variables)
    return Loaded(settings, sources, file, (*notes, *unknown_variables(environ)))


def finds(file: Path, *, environ: Mapping[str, str], cwd: Path) -> bool:
    """Return whether *file* is the one that is read when none is named on the command line."""
    try:
        found = _find_file(environ, cwd, None)
    except BadConfiguration:
        return False
    return found is not None and found.resolve() == (cwd / file).resolve()


def user_config_file(environ: Mapping[str, str]) -> Path:
    """Return where the user's own configuration file belongs."""
    home = environ.get("XDG_CONFIG_HOME")
    return (Path(home) / APP_NAME if home else user_config_folder()) / FILE_NAME


def _find_file(environ: Mapping[str, str], cwd: Path, explicit: Path | None) -> Path | None:
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if explicit is not None:
        return _must_exist(cwd / _home(explicit, environ), "--config")
    if named:
        return _must_exist(cwd / _home(Path(named), environ), CONFIG_VARIABLE)
    usual = (cwd / FILE_NAME, user_config_file(environ))
    return next((file for file in usual if _is_file(file)), None)


def _must_exist(file: Path, origin: str) -> Path:
    if not _is_file(file):
        raise BadConfiguration(
            f"{origin} names {file.name!r}, which is not a file there. "
            "`comfygen config init` writes a sample to begin with."
        )
    return file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above it is closed to us
        return False


def _from_document(document: Document) -> tuple[dict[str, JsonValue], list[str]]:
    """Return the file's values in the shape of Settings; an empty value means: not given."""
    values = {key: value for key, value in document.values.items() if value is not None}
    for name in SECTIONS:
        if group := section(values.get(name)):
            values[name] = {key: value for key, value in group.items() if value is not None}
    notes: list[str] = []
    if named := section(values.get("backends")):
        blocks = {name: block_values(document, name, raw) for name, raw in named.items()}
        values["backends"] = {name: block for name, (block, _) in blocks.items()}
        notes = [note for _, block_notes in blocks.values() for note in block_notes]
    return values, notes


def _with_places(
    values: dict[str, JsonValue], base: Path, environ: Mapping[str, str]
) -> dict[str, JsonValue]:
    placed = dict(values)
    for keys in (*_PATHS, *_LISTS_OF_PATHS):
        value = _get(placed, keys)
        if value is not None:
            _put(placed, keys, _placed(keys, value, base, environ))
    if blocks := section(placed.get("backends")):
        placed["backends"] = {name: _with_workflow(block, base, environ) for name, block in blocks.items()}
    return placed


def _with_workflow(block: JsonValue, base: Path, environ: Mapping[str, str]) -> JsonValue:
    """Make a workflow that is given as a path absolute; a name, also `name.json`, stays a name."""
    given = section(block) or {}
    workflow = given.get("workflow")
    if not isinstance(workflow, str) or not _looks_like_path(workflow):
        return block
    return {**given, "workflow": str(base / _home(Path(workflow), environ))}


def _looks_like_path(workflow: str) -> bool:
    return workflow.startswith((".", "~")) or "/" in workflow or "\\" in workflow


def _placed(keys: Keys, value: JsonValue, base: Path, environ: Mapping[str, str]) -> JsonValue:
    """Turn text into absolute paths where a path is wanted; leave all else for the check to judge."""
    if keys in _LISTS_OF_PATHS and isinstance(value, tuple):
        items = cast("tuple[JsonValue, ...]", value)
        return tuple(base / _home(Path(v), environ) if isinstance(v, str) else v for v in items)
    if keys not in _PATHS or not isinstance(value, str) or not value or "://" in value:
        return value
    path = base / _home(Path(value), environ)
    return str(path) if keys == ("store",) else path


def _home(path: Path, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if path.parts[:1] != ("~",) or not home:
        return path
    return Path(home, *path.parts[1:])


def _put_default_folders(values: dict[str, JsonValue], environ: Mapping[str, str]) -> None:
    home = environ.get("XDG_DATA_HOME")
    data = Path(home) / APP_NAME if home else user_data_folder()
    if "store" not in values:
        values["store"] = str(data / "gallery")
    if "cache" not in values and (cache := environ.get("XDG_CACHE_HOME")):
        values["cache"] = Path(cache) / APP_NAME
    for name in ("spool", "incoming", "index"):
        if name not in values:
            values[name] = data / name
    if _get(values, ("engine", "folder")) is None:
        _put(values, ("engine", "folder"), data / "engine")


def _get(values: Mapping[str, JsonValue], keys: Keys) -> JsonValue:
    found: JsonValue = values
    for key in keys:
        found = (section(found) or {}).get(str(key))
    return found


def _put(values: dict[str, JsonValue], keys: Keys, value: JsonValue) -> None:
    if len(keys) == 1:
        values[str(keys[0])] = value
        return
    group = section(values.get(str(keys[0]), {}))
    # A group of a wrong type stays as it is: the check names it.
    if group is not None:
        values[str(keys[0])] = {**group, str(keys[1]): value}


def _place_in_words(document: Document | None, variables: Mapping[Keys, str], keys: Keys) -> str:
    origin = next((name for at, name in variables.items() if keys[: len(at)] == at), None)
    if origin:
        return f"Environment variable {origin}"
    return document.place_in_words(keys) if document else "The configuration"


def _sources(settings: Settings, document: Document, variables: Mapping[Keys, str]) -> dict[str, str]:
    keys: list[Keys] = [(name,) for name in Settings.model_fields if name not in (*SECTIONS, "backends")]
    keys += [(section, name) for section, record in SECTIONS.items() for name in record.model_fields]
    for name, block in settings.backends.items():
        keys += [("backends", name, inner) for inner in (*BLOCK_KEYS, *block.knobs)]
    return {".".join(map(str, at)): _source(at, document, variables) for at in keys}


def _source(keys: Keys, document: Document, variables: Mapping[Keys, str]) -> str:
    if keys in variables:
        return f"environment {variables[keys]}"
    return (
        document.place(keys)
        if keys in document.lines and _get(document.values, keys) is not None
        else "default"
    )
