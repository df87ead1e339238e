"""The settings of an editor's node by name: the file often keeps only their values, in their order."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any, cast

from comfygen_mcp.graph.catalogue import InputSpec, NodeSpec, shipped_catalogue
from comfygen_mcp.graph.editor_file import EditorNode
from comfygen_mcp.models import JsonValue

_SETTING_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COLOR", "COMFY_DYNAMICCOMBO_V3"}
"""Types that the editor shows as a field; all others are sockets."""

_EMPTY: Mapping[str, JsonValue] = {"INT": 0, "FLOAT": 0.0, "BOOLEAN": False}
"""What a field without a default begins with; any other type with an empty text."""

_AFTER_GENERATE = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
"""What a seed's companion field says; it has a value in the file, but none in the graph."""


def settings(node: EditorNode, spec: NodeSpec) -> dict[str, JsonValue]:
    """Return input name → value of *node*, as its class declares them; a missing value is the default."""
    if isinstance(node.values, dict):
        return dict(_named(spec.inputs, node.values, _shown_as(node)))
    return dict(_in_order(spec.inputs, list(node.values), _shown_as(node)))


def plain(value: JsonValue) -> JsonValue:
    """Mark a list as a value: in a graph a bare one would be a link."""
    return {"__value__": list(cast("list[Any]", value))} if isinstance(value, list) else value


def _shown_as(node: EditorNode) -> dict[str, bool]:
    """Return the inputs that the file lists: whether each is a setting. Settings without a link may lack."""
    return {socket.name: socket.widget is not None for socket in node.inputs}


def _is_setting(name: str, spec: InputSpec, shown: Mapping[str, bool]) -> bool:
    """Tell whether an input is a field of the node; what no node gives can only be one."""
    if spec.socket or name in shown:
        return not spec.socket and shown[name]
    if spec.type.split(",")[0] in _SETTING_TYPES:
        return True
    return spec.required and not spec.open and not spec.types & _given_types()


@cache
def _given_types() -> frozenset[str]:
    """Return the types of all outputs of ComfyUI's own nodes, and the one that is any."""
    given = (kind.split(",") for spec in shipped_catalogue() for kind in spec.outputs)
    return frozenset(("*", *chain.from_iterable(given)))


def _named(
    specs: Mapping[str, InputSpec],
    values: Mapping[str, JsonValue],
    shown: Mapping[str, bool],
    prefix: str = "",
) -> Iterator[tuple[str, JsonValue]]:
    for short, spec in specs.items():
        name = prefix + short
        if _is_setting(name, spec, shown):
            value = values.get(name, _default(spec))
            if value is not None:
                yield name, plain(value)
            yield from _named(_below(spec, value), values, shown, f"{name}.")


def _in_order(
    specs: Mapping[str, InputSpec], values: list[JsonValue], shown: Mapping[str, bool], prefix: str = ""
) -> Iterator[tuple[str, JsonValue]]:
    """Take the values from the front of *values*, field by field, those of a chosen branch in between."""
    fields = {
        prefix + short: spec for short, spec in specs.items() if _is_setting(prefix + short, spec, shown)
    }
    followers = [*fields.values(), None][1:]
    for (name, spec), follower in zip(fields.items(), followers, strict=True):
        value = values.pop(0) if values else _default(spec)
        if value is not None:
            yield name, plain(value)
        yield from _in_order(_below(spec, value), values, shown, f"{name}.")
        if spec.types & {"INT", "FLOAT", "COMBO"} and values and _is_companion(values[0], follower):
            values.pop(0)


def _is_companion(value: JsonValue, follower: InputSpec | None) -> bool:
    """Tell whether *value* belongs to the seed before it, and not to the field that follows."""
    if value not in _AFTER_GENERATE:
        return False
    return follower is None or follower.type != "COMBO" or not follower.options or not follower.allows(value)


def _below(spec: InputSpec, value: JsonValue) -> Mapping[str, InputSpec]:
    if spec.branches is None or not isinstance(value, str | int | float | bool):
        return {}
    return spec.branches.get(value, {})


def _default(spec: InputSpec) -> JsonValue:
    if spec.default is not None:
        return spec.default
    if spec.options:
        return spec.options[0]
    return None if spec.options is not None else _EMPTY.get(spec.type.split(",")[0], "")
