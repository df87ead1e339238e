"""Reads comfygen.yaml into plain values and remembers where each one stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.models import JsonValue

if TYPE_CHECKING:
    import yaml

Keys: TypeAlias = tuple[str | int, ...]
"""The way to a value: `("backends", "sdxl", "hosts", 0)`."""

_LARGEST_FILE = 1_000_000
_MOST_VALUES = 10_000


@dataclass(frozen=True)
class Document:
    """A configuration file; lists are tuples, and *lines* counts from 1."""

    name: str
    values: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    lines: Mapping[Keys, tuple[int, int]] = field(default_factory=dict[Keys, tuple[int, int]])

    def place(self, keys: Keys) -> str:
        """Return `comfygen.yaml:12` for the value at *keys*, or for the nearest one above it."""
        position = self._position(keys)
        return f"{self.name}:{position[0]}" if position else self.name

    def place_in_words(self, keys: Keys) -> str:
        position = self._position(keys)
        return f"{self.name} line {position[0]}, column {position[1]}" if position else self.name

    def _position(self, keys: Keys) -> tuple[int, int] | None:
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.lines:
                return self.lines[keys[:end]]
        return None


def read_document(file: Path) -> Document:
    """Read *file*; raises BadConfiguration with line and column when it is not good YAML."""
    return parse_document(_text(file), file.name)


def parse_document(text: str, name: str) -> Document:
    """Read the *text* of a file called *name*."""
    import yaml

    try:
        return _document(yaml.SafeLoader(text), name)
    except yaml.YAMLError as error:
        raise BadConfiguration(_yaml_problem(error, name, text)) from error
    except RecursionError as error:
        raise BadConfiguration(f"{name} is nested too deeply.") from error


def section(value: JsonValue) -> dict[str, JsonValue] | None:
    """Return *value* as a group of keys, or None when it is something else."""
    return cast("dict[str, JsonValue]", value) if isinstance(value, dict) else None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise BadConfiguration(f"{file.name} cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST_FILE:
        raise BadConfiguration(f"{file.name} is larger than 1 MB: that is no configuration.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadConfiguration(
            f"{file.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error


def _document(loader: "yaml.SafeLoader", name: str) -> Document:
    root = loader.get_single_node()
    if root is None:
        return Document(name)
    reading = _Reading(loader, name)
    values = section(reading.value(root, ()))
    if values is None:
        raise BadConfiguration(f"{name} must hold `key: value` lines.")
    return Document(name, values, reading.lines)


class _Scalars(Protocol):
    """The part of a YAML loader that the library leaves untyped."""

    def construct_object(self, node: "yaml.Node") -> JsonValue: ...


class _Reading:
    """One walk over the nodes of a file."""

    def __init__(self, loader: "yaml.SafeLoader", name: str) -> None:
        self._loader = loader
        self._scalars = cast("_Scalars", loader)
        self._name = name
        self._count = 0
        self.lines: dict[Keys, tuple[int, int]] = {}

    def value(self, node: "yaml.Node", keys: Keys) -> JsonValue:
        from yaml import MappingNode, SequenceNode

        self._count += 1
        if self._count > _MOST_VALUES or len(keys) > 20:
            raise BadConfiguration(f"{self._name} is nested too deeply, or has too many values.")
        match node:
            case MappingNode():
                return self._mapping(node, keys)
            case SequenceNode():
                return tuple(self._item(child, (*keys, at)) for at, child in enumerate(node.value))
            case _:
                return self._scalar(node)

    def _item(self, node: "yaml.Node", keys: Keys) -> JsonValue:
        self.lines[keys] = _position(node)
        return self.value(node, keys)

    def _mapping(self, node: "yaml.MappingNode", keys: Keys) -> dict[str, JsonValue]:
        self._refuse_doubles(node)
        self._loader.flatten_mapping(node)
        found: dict[str, JsonValue] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            self.lines[*keys, key] = _position(key_node)
            found[key] = self.value(value_node, (*keys, key))
        return found

    def _refuse_doubles(self, node: "yaml.MappingNode") -> None:
        seen: dict[str, yaml.Node] = {}
        for key_node, _ in node.value:
            first = seen.setdefault(str(key_node.value), key_node)
            if first is not key_node:
                raise self._wrong(
                    key_node, f"{key_node.value!r} stands already in line {_position(first)[0]}"
                )

    def _key(self, node: "yaml.Node") -> str:
        if node.tag != "tag:yaml.org,2002:str":
            raise self._wrong(node, f"the key {node.value!r} must be text; put it in quotes")
        return str(node.value)

    def _scalar(self, node: "yaml.Node") -> JsonValue:
        try:
            return self._scalars.construct_object(node)
        except ValueError as error:
            raise self._wrong(node, f"{node.value!r} cannot be read ({error}); put text in quotes") from error

    def _wrong(self, node: "yaml.Node", text: str) -> BadConfiguration:
        line, column = _position(node)
        return BadConfiguration(f"{self._name} line {line}, column {column}: {text}.")


def _position(node: "yaml.Node") -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _yaml_problem(error: "yaml.YAMLError", name: str, text: str) -> str:
    import yaml

    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{name} is not valid YAML: {' '.join(str(error).split())[:200]}."
    mark = error.problem_mark
    line = text.splitlines()[mark.line] if mark.line < len(text.splitlines()) else ""
    hint = " Indent with spaces: YAML does not allow tabs." if "\t" in line else ""
    return f"{name} line {mark.line + 1}, column {mark.column + 1}: {error.problem}.{hint}"
