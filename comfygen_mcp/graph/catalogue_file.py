"""Our compact form of a node catalogue: one line per class, lists of options written once.

`{"lists": [[option, ...], ...], "nodes": {class: [{input: spec}, [output, ...], output_node]}}`,
where a spec is the type alone, or `[type, {"opt", "default", "min", "max", "step", "options", ...}]` with
`opt` 1 for optional inputs, `upload` and `socket` 1 where that holds, `options` the number of a list, and
`branches` the specs below each choice: `[[choice, {input: spec}], ...]`. `scripts/make-catalogue` writes it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from comfygen_mcp.graph.catalogue import FILE_SUFFIXES, Catalogue, InputSpec, NodeSpec
from comfygen_mcp.models import JsonValue, Scalar

_FIELDS = {"default": "default", "min": "minimum", "max": "maximum", "step": "step"}
_FLAGS = ("upload", "socket")


def read_catalogue(file: Path) -> Catalogue:
    return catalogue_of(json.loads(file.read_text(encoding="utf-8")))


def catalogue_of(compact: Mapping[str, JsonValue]) -> Catalogue:
    """Read the compact form, whose author is `compact_text`."""
    lists: list[tuple[Scalar, ...]] = [tuple(options) for options in compact["lists"]]
    nodes: dict[str, list[Any]] = compact["nodes"]
    return Catalogue(
        {
            name: NodeSpec(
                class_type=name,
                inputs={key: _read_input(spec, lists) for key, spec in inputs.items()},
                outputs=tuple(outputs),
                output_node=bool(output_node),
            )
            for name, (inputs, outputs, output_node) in nodes.items()
        }
    )


def compact_text(catalogue: Catalogue) -> str:
    """Write *catalogue* in the compact form; names of files are left out: every server has others."""
    lists: dict[str, int] = {}
    nodes = {name: _dump(_node(catalogue.nodes[name], lists)) for name in sorted(catalogue.nodes)}
    lines = [f"{_dump(name)}: {text}" for name, text in nodes.items()]
    return "\n".join(['{"lists": [', ",\n".join(lists), '],\n"nodes": {', ",\n".join(lines), "}}", ""])


def _read_input(spec: JsonValue, lists: list[tuple[Scalar, ...]]) -> InputSpec:
    if isinstance(spec, str):
        return InputSpec(spec)
    kind, settings = spec
    values = cast("dict[str, Any]", settings)
    known = {ours: values[key] for key, ours in _FIELDS.items() if key in values}
    flags = {name: True for name in _FLAGS if name in values}
    at: int | None = values.get("options")
    options = None if at is None else lists[at]
    branches = _read_branches(values, lists)
    return InputSpec(kind, "opt" not in values, options=options, branches=branches, **known, **flags)


def _read_branches(
    values: Mapping[str, JsonValue], lists: list[tuple[Scalar, ...]]
) -> dict[Scalar, Mapping[str, InputSpec]] | None:
    pairs: list[tuple[Scalar, dict[str, JsonValue]]] | None = values.get("branches")
    if pairs is None:
        return None
    return {
        choice: {name: _read_input(spec, lists) for name, spec in inputs.items()} for choice, inputs in pairs
    }


def _node(node: NodeSpec, lists: dict[str, int]) -> list[JsonValue]:
    return [_inputs(node.inputs, lists), list(node.outputs), int(node.output_node)]


def _inputs(specs: Mapping[str, InputSpec], lists: dict[str, int]) -> dict[str, JsonValue]:
    return {name: _input(spec, lists) for name, spec in specs.items()}


def _input(spec: InputSpec, lists: dict[str, int]) -> JsonValue:
    files = spec.options is not None and any(str(option).endswith(FILE_SUFFIXES) for option in spec.options)
    settings: dict[str, JsonValue] = {} if spec.required else {"opt": 1}
    for key, ours in _FIELDS.items():
        value = getattr(spec, ours)
        if value is not None and not (files and key == "default"):
            settings[key] = value
    settings.update({name: 1 for name in _FLAGS if getattr(spec, name)})
    if spec.branches is not None:
        settings["branches"] = [[choice, _inputs(below, lists)] for choice, below in spec.branches.items()]
    if spec.options is not None:
        settings["options"] = lists.setdefault(_dump([] if files else list(spec.options)), len(lists))
    return [spec.type, settings] if settings else spec.type


def _dump(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
