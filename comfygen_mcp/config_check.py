"""Checks configured values against the settings, and says in words and with their place what is wrong."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from comfygen_mcp.config_blocks import Auth, BackendBlock, FromEnvironment, sounds_secret
from comfygen_mcp.config_environment import SECTIONS
from comfygen_mcp.config_fields import Settings
from comfygen_mcp.config_file import Document, Keys, section
from comfygen_mcp.config_s3 import SETTING_ERROR
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.graph.knobs import wrong_knob
from comfygen_mcp.models import JsonValue, Record, RequiredFile

Place: TypeAlias = Callable[[Keys], str]
"""Says in words where the value at some keys was written."""

BLOCK_KEYS = tuple(name for name in BackendBlock.model_fields if name not in ("name", "knobs"))
_SET_BY_THE_REQUEST = ("prompt", "negative", "seed")
_SECRET_KEYS = {"token", "tokens", "file_secret", "index_database", "headers", "auth", "api_token_env"}
_IN_WORDS = {
    "a valid string": "text (in quotes, if it looks like a number)",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid tuple": "a list",
    "a valid dictionary": "a group of `key: value` lines",
    "an instance of Path": "a path",
}
_MODEL_NAME = re.compile(r" or instance of \w+")


def checked_settings(values: Mapping[str, JsonValue], place: Place) -> Settings:
    """Return the settings; raises BadConfiguration that lists what is wrong, each with its place."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        problems = [_problem(detail, place) for detail in error.errors(include_url=False) if _telling(detail)]
        shown = list(dict.fromkeys(problems))[:5]
        raise BadConfiguration("\n".join(shown)) from None


def block_values(document: Document, name: str, block: JsonValue) -> tuple[JsonValue, list[str]]:
    """Return the fields of one block, its knobs set apart, and notes on keys without effect."""
    given = section(block)
    if given is None:
        return block, []
    path = ("backends", name)
    _refuse_later_types(document, path, given)
    fields = {key: value for key, value in given.items() if key in BLOCK_KEYS and value is not None}
    knobs = {key: value for key, value in given.items() if key not in BLOCK_KEYS}
    for key, value in knobs.items():
        _check_knob(document, (*path, key), value, given)
    if "base_url" not in fields and not fields.get("hosts"):
        raise BadConfiguration(
            f"{document.place_in_words(path)}: backends.{name} needs a base_url, such as http://127.0.0.1:8188."
        )
    notes = [_no_effect(document, path, key) for key in knobs if key in _SET_BY_THE_REQUEST]
    notes += [_no_place_for_secrets(document, path, key) for key in knobs if sounds_secret(key)]
    return {**fields, "name": name, "knobs": knobs}, notes


def _refuse_later_types(document: Document, path: Keys, given: Mapping[str, JsonValue]) -> None:
    if given.get("type") == "replicate":
        where = document.place_in_words((*path, "type"))
        raise BadConfiguration(
            f"{where}: {_dotted(path)} has type 'replicate', which is not available yet. "
            "Remove the block or comment it out; type 'comfyui' works."
        )


def _check_knob(document: Document, keys: Keys, value: JsonValue, given: Mapping[str, JsonValue]) -> None:
    key = str(keys[-1])
    where = document.place_in_words(keys)
    near = _near_block_key(key, given)
    if near or key.startswith("default_"):
        hint = f"Did you mean {near!r}?" if near else f"Known: {', '.join(BLOCK_KEYS)}."
        raise BadConfiguration(f"{where}: unknown key {key!r} in {_dotted(keys[:-1])}. {hint}")
    finite = not isinstance(value, float) or abs(value) < float("inf")
    given_value = "hidden here" if sounds_secret(key) else _shown(value)
    if not isinstance(value, str | int | float | bool) or not finite:
        raise BadConfiguration(
            f"{where}: {_dotted(keys)} is {given_value}, but a value for a placeholder must be text, "
            f"a finite number, true or false. Keys with another meaning: {', '.join(BLOCK_KEYS)}."
        )
    if wrong := wrong_knob(key, value):
        raise BadConfiguration(f"{where}: {_dotted(keys)} is {given_value}: {wrong}.")


def _near_block_key(key: str, given: Mapping[str, JsonValue]) -> str | None:
    folded = key.casefold().replace("-", "_")
    prefix = "default_" if folded.startswith("default_") else ""
    # A block that gives its model may well have a knob called `mode` or `model2`.
    known = [k for k in BLOCK_KEYS if k.startswith(prefix) and not (k == "model" and "model" in given)]
    rests = [k.removeprefix(prefix) for k in known]
    near = difflib.get_close_matches(folded.removeprefix(prefix), rests, n=1, cutoff=0.8)
    return prefix + near[0] if near else None


def _no_effect(document: Document, path: Keys, key: str) -> str:
    where = document.place((*path, key))
    return f"{where}: {key!r} in {_dotted(path)} has no effect, because every request sets its own."


def _no_place_for_secrets(document: Document, path: Keys, key: str) -> str:
    where = document.place((*path, key))
    return (
        f"{where}: {key!r} in {_dotted(path)} sounds like a secret. Knobs fill placeholders and are "
        "stored in sidecars, so secrets do not belong there; headers and auth take a variable's name."
    )


def _problem(detail: ErrorDetails, place: Place) -> str:
    keys = (*_existing(detail["loc"]), *detail.get("ctx", {}).get("keys", ()))
    if detail["type"] == "extra_forbidden":
        return f"{place(keys)}: {_unknown_key(keys)}"
    name = _dotted(keys) or "the configuration"
    if detail["type"] == "missing":
        return f"{place(keys)}: {name} is missing."
    text = _in_words(detail)
    given = detail["input"]
    shown = f" is {_shown(given)}"
    if isinstance(given, Mapping | Record) or _SECRET_KEYS.intersection(keys) or "@" in shown:
        shown = ""
    return f"{place(keys)}: {name}{shown}: {text}."


def _telling(detail: ErrorDetails) -> bool:
    """Of the two forms of a header, complain about the one that was meant."""
    is_group = isinstance(detail["input"], Mapping)
    match detail["loc"][-1:]:
        case ("str",):
            return not is_group
        case ("FromEnvironment",):
            return is_group
        case _:
            return True


def _existing(loc: tuple[int | str, ...]) -> Keys:
    """Leave out what pydantic adds to the way for the alternatives of a header."""
    if loc[:1] == ("backends",) and loc[2:3] == ("headers",):
        return (*loc[:4], *loc[5:])
    return loc


def _in_words(detail: ErrorDetails) -> str:
    if detail["type"] == SETTING_ERROR:
        return detail["msg"]
    if detail["type"] == "value_error":
        return str(detail.get("ctx", {})["error"])
    if detail["type"] in ("too_short", "string_too_short"):
        return "must not be empty"
    text = _MODEL_NAME.sub("", detail["msg"]).replace("Input should be", "must be")
    for technical, plain in _IN_WORDS.items():
        text = text.replace(technical, plain)
    return text


def _unknown_key(keys: Keys) -> str:
    *path, key = keys
    known = _known_keys(tuple(path))
    near = difflib.get_close_matches(str(key).casefold(), known, n=1, cutoff=0.5)
    inside = f" in {_dotted(tuple(path))}" if path else ""
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown key {str(key)!r}{inside}.{hint} Known: {', '.join(known)}."


def _known_keys(path: Keys) -> tuple[str, ...]:
    match path:
        case ():
            record = Settings
        case (str(name),) if name in SECTIONS:
            record = SECTIONS[name]
        case ("backends", _, "auth"):
            record = Auth
        case ("backends", _, "requires", _):
            record = RequiredFile
        case _:
            record = FromEnvironment
    return tuple(record.model_fields)


def _dotted(keys: Keys) -> str:
    return ".".join(str(key) for key in keys)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
