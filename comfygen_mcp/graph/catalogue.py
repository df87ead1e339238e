"""Node classes: their inputs, outputs and limits, from a server's /object_info or the shipped file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.models import JsonValue, Scalar

WILDCARDS = ("*", "COMFY_MATCHTYPE_V3", "COMFY_AUTOGROW_V3", "COMFY_DYNAMICCOMBO_V3")
"""Types that may stand for any other; what they really take only the server knows."""

FILE_SUFFIXES = (
    *(".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx", ".glb"),
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".webm", ".wav", ".mp3", ".flac"),
)
"""A choice that ends like this is a file, and every server has others."""

_UPLOADS = ("image_upload", "animated_image_upload", "video_upload", "audio_upload", "file_upload")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a node class; *type* may be a union such as `FLOAT,INT`.

    *options* is None for types without choices, and () where only the server knows them (files).
    *complete* says that a server gave the list, so that nothing else is a choice there.
    *upload* marks a list of uploaded files, *socket* an input that only a link can fill in the editor.
    *branches* holds the further inputs that each choice of a dynamic combo brings along.
    """

    type: str
    required: bool = True
    default: Scalar | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: tuple[Scalar, ...] | None = None
    complete: bool = field(default=False, compare=False)
    upload: bool = False
    socket: bool = False
    branches: Mapping[Scalar, Mapping[str, "InputSpec"]] | None = None

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.type.split(","))

    @property
    def open(self) -> bool:
        """Whether the server adds inputs below this one: `values.a`, `format.codec`."""
        return self.type.startswith("COMFY_")

    def allows(self, value: JsonValue) -> bool:
        """Tell whether *value* is a choice; a file is refused only by a list that has files.

        Servers list the uploads of one folder, and take those of its subfolders too.
        """
        if self.options is None or value in self.options or (self.upload and isinstance(value, str)):
            return True
        if self.complete:
            return False
        return not self.options or (_is_file(value) and not any(_is_file(option) for option in self.options))


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node class; *outputs* are the types of its slots."""

    class_type: str
    inputs: Mapping[str, InputSpec]
    outputs: tuple[str, ...] = ()
    output_node: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All node classes that somebody knows."""

    nodes: Mapping[str, NodeSpec] = field(default_factory=dict[str, NodeSpec])

    def get(self, class_type: str) -> NodeSpec | None:
        return self.nodes.get(class_type)

    def __contains__(self, class_type: object) -> bool:
        return class_type in self.nodes

    def __iter__(self) -> Iterator[NodeSpec]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def merged(self, newer: "Catalogue") -> "Catalogue":
        """Return both together; what *newer* knows wins."""
        return Catalogue({**self.nodes, **newer.nodes})


def parse_object_info(raw: JsonValue) -> Catalogue:
    """Read the reply of /object_info; raises UnexpectedReply when it is not one.

    Custom nodes describe themselves in surprising ways: what cannot be understood is left out.
    """
    if not isinstance(raw, dict):
        raise UnexpectedReply("/object_info answered without an object of node classes. Is this a ComfyUI?")
    classes = {name: _mapping(value) for name, value in _mapping(raw).items()}
    return Catalogue({name: _node_spec(name, value) for name, value in classes.items() if value})


@cache
def shipped_catalogue() -> Catalogue:
    """Return the core node classes of ComfyUI 0.33.0, from the package's own data file."""
    from comfygen_mcp.graph.catalogue_file import read_catalogue

    return read_catalogue(Path(__file__).parent.parent / "data" / "catalogue.json")


def _node_spec(class_type: str, raw: Mapping[str, JsonValue]) -> NodeSpec:
    return NodeSpec(
        class_type=class_type,
        inputs=_input_specs(raw.get("input")),
        outputs=tuple(_type_name(output) for output in _items(raw.get("output"))),
        output_node=raw.get("output_node") is True,
    )


def _input_specs(raw: JsonValue) -> dict[str, InputSpec]:
    groups = _mapping(raw)
    return {
        name: _input_spec(spec, required=group == "required")
        for group in ("required", "optional")
        for name, spec in _mapping(groups.get(group)).items()
    }


def _input_spec(raw: JsonValue, *, required: bool) -> InputSpec:
    """Read `[["a", "b"], {...}]` (V1), `["COMBO", {"options": [...]}]` (V3) or `["INT", {...}]`."""
    items = _items(raw)
    kind = items[0] if items else "*"
    settings = _mapping(items[1]) if len(items) > 1 else {}
    default = settings.get("default")
    return InputSpec(
        type=_type_name(kind),
        required=required,
        default=default if isinstance(default, str | int | float | bool) else None,
        minimum=_number(settings.get("min")),
        maximum=_number(settings.get("max")),
        step=_number(settings.get("step")),
        options=_options(kind, settings),
        complete=_options(kind, settings) is not None,
        upload=any(settings.get(flag) is True for flag in _UPLOADS),
        socket=settings.get("forceInput") is True,
        branches=_branches(settings) if kind == "COMFY_DYNAMICCOMBO_V3" else None,
    )


def _type_name(kind: JsonValue) -> str:
    if isinstance(kind, list):
        return "COMBO"
    return kind if isinstance(kind, str) and kind else "*"


def _options(kind: JsonValue, settings: Mapping[str, JsonValue]) -> tuple[Scalar, ...] | None:
    if isinstance(kind, list):
        return _scalars(_items(kind))
    if kind == "COMBO" and "options" in settings:
        return _scalars(_items(settings.get("options")))
    if kind == "COMFY_DYNAMICCOMBO_V3":
        return _scalars(_mapping(option).get("key") for option in _items(settings.get("options")))
    return None


def _branches(settings: Mapping[str, JsonValue]) -> dict[Scalar, Mapping[str, InputSpec]]:
    options = [_mapping(option) for option in _items(settings.get("options"))]
    return {
        option["key"]: _input_specs(option.get("inputs"))
        for option in options
        if _scalars([option.get("key")])
    }


def _scalars(values: Iterable[JsonValue]) -> tuple[Scalar, ...]:
    return tuple(value for value in values if isinstance(value, str | int | float | bool))


def _number(value: JsonValue) -> float | None:
    return value if isinstance(value, int | float) else None


def _is_file(value: JsonValue) -> bool:
    return isinstance(value, str) and value.lower().endswith(FILE_SUFFIXES)


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _items(value: JsonValue) -> list[JsonValue]:
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []
