"""Placeholders: a string that is exactly `"${name}"` becomes the typed value, never by way of text."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.links import is_link
from comfygen_mcp.models import Graph, GraphNode, JsonValue, Scalar
from comfygen_mcp.names import nearest_names

BUILT_IN_DEFAULTS: Mapping[str, Scalar] = {
    "vae": "ae.safetensors",
    "clip_l": "clip_l.safetensors",
    "clip_t5": "t5xxl_fp8_e4m3fn.safetensors",
    "clip": "qwen_3_4b.safetensors",
    "dtype": "fp8_e4m3fn",
    "guidance": 4.0,
    "shift": 3.0,
    "steps": 4,
    "cfg": 1.0,
    "sampler": "euler",
    "scheduler": "simple",
    "negative": "",
    "width": 1024,
    "height": 1024,
    "batch_size": 1,
    "denoise": 1.0,
}
"""Last resort for knobs that neither the request nor the block nor the template sets."""

FRAMEWORK_KEYS = frozenset(
    {"type", "base_url", "hosts", "workflow", "wake_hint", "timeout_s", "headers", "auth", "api_token_env"}
    | {"requires"}
)
"""Keys of a backend's block that configure the backend and fill no placeholder; so do all `default_*`."""

BLOCK_DEFAULTS = {f"default_{knob}": knob for knob in ("steps", "cfg", "sampler", "scheduler")}
"""The `default_*` keys that set a knob all the same."""

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_LONGEST_SHOWN = 80


class Place(NamedTuple):
    """Where a placeholder stands: *input* is an input's name, `class_type` or a key of `_meta`.

    It shows the way into lists and objects: `values[0].x`, `_meta.title`.
    """

    node: str
    class_type: str
    input: str


def placeholders(graph: Graph) -> dict[str, tuple[Place, ...]]:
    """Return every placeholder of *graph* with its places, in order of appearance."""
    found: dict[str, tuple[Place, ...]] = {}
    for node_id, node in graph.items():
        for placeholder, path in _found_in_node(node):
            place = Place(node_id, node["class_type"], path)
            found[placeholder] = (*found.get(placeholder, ()), place)
    return found


def placeholder_name(text: str) -> str | None:
    """Return the name in `${name}` when *text* is just that."""
    match = _PLACEHOLDER.fullmatch(text)
    return match[1] if match else None


def fill(graph: Graph, values: Mapping[str, Scalar]) -> Graph:
    """Return a new graph with every placeholder replaced; *graph* is left alone.

    Raises BadWorkflow when a placeholder has no value or a class_type becomes no text, and BadRequest
    for NaN and infinity.
    Values are put in as they are and never looked at again, so a prompt may contain any text.
    """
    wanted = placeholders(graph)
    for name, places in wanted.items():
        if name not in values:
            raise BadWorkflow(_no_value(name, places[0], values))
        _refuse_not_finite(name, values[name])
    return {node_id: _filled_node(node_id, node, values) for node_id, node in graph.items()}


def substitution_map(
    *,
    request: Mapping[str, Scalar | None],
    preset: Mapping[str, Scalar | None],
    block: Mapping[str, object],
    defaults: Mapping[str, Scalar],
) -> dict[str, Scalar]:
    """Return placeholder → value: request, then preset, YAML block, template defaults, built-ins.

    None means: not given. Lists and objects of the block are not values. Raises BadRequest for NaN.
    """
    layers = (BUILT_IN_DEFAULTS, defaults, _block_values(block), preset, request)
    merged = {name: value for layer in layers for name, value in layer.items() if value is not None}
    for name, value in merged.items():
        _refuse_not_finite(name, value)
    return merged


def _found_in_node(node: GraphNode) -> Iterator[tuple[str, str]]:
    yield from _found_in(node["class_type"], "class_type")
    for name, value in node["inputs"].items():
        if not is_link(value):
            yield from _found_in(value, name)
    yield from _found_in(node.get("_meta", {}), "_meta")


def _found_in(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if match := _PLACEHOLDER.fullmatch(value):
            yield match[1], path
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _found_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(cast("list[Any]", value)):
            yield from _found_in(item, f"{path}[{at}]")


def _filled_node(node_id: str, node: GraphNode, values: Mapping[str, Scalar]) -> GraphNode:
    filled = GraphNode(
        class_type=_filled_class(node_id, node["class_type"], values),
        inputs={
            name: list(value) if is_link(value) else _filled(value, values)
            for name, value in node["inputs"].items()
        },
    )
    if "_meta" in node:
        filled["_meta"] = {key: _filled(value, values) for key, value in node["_meta"].items()}
    return filled


def _filled_class(node_id: str, class_type: str, values: Mapping[str, Scalar]) -> str:
    filled = _filled(class_type, values)
    if not isinstance(filled, str) or not filled:
        raise BadWorkflow(
            f"The class_type of node {node_id!r} is {class_type[:_LONGEST_SHOWN]}, which stands for "
            f"{filled!r}. Give it the name of a node class, as text."
        )
    return filled


def _filled(value: JsonValue, values: Mapping[str, Scalar]) -> JsonValue:
    if isinstance(value, str):
        match = _PLACEHOLDER.fullmatch(value)
        return values[match[1]] if match else value
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in cast("list[Any]", value)]
    return value


def _block_values(block: Mapping[str, object]) -> dict[str, Scalar]:
    """Return the scalars of a backend's block; a plain `steps:` beats `default_steps:`."""
    scalars = {key: value for key, value in block.items() if isinstance(value, str | int | float | bool)}
    named = {knob: scalars[key] for key, knob in BLOCK_DEFAULTS.items() if key in scalars}
    plain = {
        key: value
        for key, value in scalars.items()
        if key not in FRAMEWORK_KEYS and not key.startswith("default_")
    }
    return {**named, **plain}


def _refuse_not_finite(name: str, value: Scalar) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRequest(f"{name}={value} is not a number that ComfyUI can use. Give a finite number.")


def _no_value(name: str, place: Place, values: Mapping[str, Scalar]) -> str:
    near = nearest_names(name, values)
    meant = f" Did you mean ${{{near[0]}}}?" if near else ""
    shown, class_type = name[:_LONGEST_SHOWN], place.class_type[:_LONGEST_SHOWN]
    return (
        f"The placeholder ${{{shown}}} of node {place.node!r} ({class_type}), input {place.input!r}, "
        f"has no value.{meant} Set {shown!r} in the backend's block or in _workflow_metadata.defaults."
    )
