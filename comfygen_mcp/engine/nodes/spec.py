"""What a node is: its name, its typed inputs and outputs in ComfyUI's wire form, and the function it runs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from comfygen_mcp.engine.folders import Folders

Listing: TypeAlias = Callable[[str], list[str]]
"""Names of the files in a model folder; the folder `input` stands for the uploaded images."""


DYNAMIC = "COMFY_DYNAMICCOMBO_V3"


@dataclass(frozen=True)
class Branch:
    """One choice of a dynamic combo, and the inputs that exist only while it is chosen."""

    key: str
    required: dict[str, "Input"] = field(default_factory=dict[str, "Input"])
    optional: dict[str, "Input"] = field(default_factory=dict[str, "Input"])

    def wire(self, listing: Listing) -> dict[str, Any]:
        groups = {"required": self.required, **({"optional": self.optional} if self.optional else {})}
        inputs = {group: {n: i.wire(listing) for n, i in inputs.items()} for group, inputs in groups.items()}
        return {"key": self.key, "inputs": inputs}


@dataclass(frozen=True)
class Input:
    """One input. Its choices are fixed (*choices*), the files of a folder (*folder*) or *branches*."""

    type: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    choices: tuple[str, ...] | None = None
    folder: str | None = None
    optional: bool = False
    form: Literal["v1", "v3"] = "v1"
    branches: tuple[Branch, ...] = ()

    def listed(self, listing: Listing) -> list[str] | None:
        if self.branches:
            return [branch.key for branch in self.branches]
        if self.type != "COMBO":
            return None
        found = listing(self.folder) if self.folder else []
        return [*found, *(self.choices or ())]

    def wire(self, listing: Listing) -> list[Any]:
        if self.branches:
            return [self.type, {**self.options, "options": [b.wire(listing) for b in self.branches]}]
        listed = self.listed(listing)
        if listed is None:
            return [self.type, self.options] if self.options else [self.type, {}]
        if self.form == "v3":
            return ["COMBO", {"multiselect": False, "options": listed, **self.options}]
        return [listed, self.options]

    def declared(self, name: str, given: dict[str, Any]) -> dict[str, "Input"]:
        """Return this input, and those that its chosen branch adds as `name.other`."""
        found: dict[str, Input] = {name: self}
        for branch in self.branches:
            if branch.key == given.get(name):
                for other, spec in {**branch.required, **branch.optional}.items():
                    # A server takes a graph without them, from before the input was dynamic.
                    found.update(replace(spec, optional=True).declared(f"{name}.{other}", given))
        return found


@dataclass(frozen=True)
class Slot:
    type: str
    name: str


@dataclass(frozen=True)
class Node:
    """*changed* gives what a result depends on besides the inputs; *custom_input* names an image file.

    *streamed* names the inputs whose pictures the function takes one by one, be they an array or a film.
    """

    name: str
    display_name: str
    category: str
    inputs: dict[str, Input]
    outputs: tuple[Slot, ...]
    run: Callable[..., Any]
    description: str = ""
    module: str = "nodes"
    output_node: bool = False
    deprecated: bool = False
    experimental: bool = False
    hidden: dict[str, Any] = field(default_factory=dict[str, Any])
    changed: Callable[[Folders, dict[str, Any]], str] | None = None
    custom_input: str | None = None
    streamed: frozenset[str] = frozenset()

    def declared(self, given: dict[str, Any]) -> dict[str, Input]:
        """Return the inputs of a node that was given these values."""
        parts = [spec.declared(name, given) for name, spec in self.inputs.items()]
        return {name: spec for part in parts for name, spec in part.items()}

    def wire(self, listing: Listing, *, hide_outputs: bool = False) -> dict[str, Any]:
        groups = self._groups(listing)
        outputs = () if hide_outputs else self.outputs
        return {
            "input": groups,
            "input_order": {group: list(inputs) for group, inputs in groups.items()},
            "is_input_list": False,
            "output": [slot.type for slot in outputs],
            "output_is_list": [False] * len(outputs),
            "output_name": [slot.name for slot in outputs],
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "python_module": self.module,
            "category": self.category,
            "output_node": self.output_node,
            "has_intermediate_output": False,
            **({"deprecated": True} if self.deprecated else {}),
            **({"experimental": True} if self.experimental else {}),
        }

    def _groups(self, listing: Listing) -> dict[str, Any]:
        required = {n: i.wire(listing) for n, i in self.inputs.items() if not i.optional}
        optional = {n: i.wire(listing) for n, i in self.inputs.items() if i.optional}
        groups: dict[str, Any] = {"required": required}
        if optional:
            groups["optional"] = optional
        if self.hidden:
            groups["hidden"] = dict(self.hidden)
        return groups


def link(type_name: str, tooltip: str | None = None) -> Input:
    return Input(type_name, _options(tooltip=tooltip))


def integer(
    default: int | None, low: int, high: int, *, step: int | None = None, tooltip: str | None = None
) -> Input:
    return Input("INT", _options(default=default, min=low, max=high, step=step, tooltip=tooltip))


def seed(tooltip: str | None = None) -> Input:
    options = {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}
    return Input("INT", {**options, **_options(tooltip=tooltip)})


def number(
    default: float | None,
    low: float,
    high: float,
    *,
    step: float | None = None,
    round_to: float | None = None,
    tooltip: str | None = None,
) -> Input:
    options = _options(default=default, min=low, max=high, step=step, round=round_to, tooltip=tooltip)
    return Input("FLOAT", options)


def text(default: str | None = None, *, multiline: bool | None = None, tooltip: str | None = None) -> Input:
    dynamic = True if multiline else None
    options = _options(default=default, multiline=multiline, dynamicPrompts=dynamic, tooltip=tooltip)
    return Input("STRING", options)


def switch(*, default: bool | None = None, tooltip: str | None = None) -> Input:
    return Input("BOOLEAN", _options(default=default, tooltip=tooltip))


def choice(
    *choices: str,
    optional: bool = False,
    form: Literal["v1", "v3"] = "v1",
    default: str | None = None,
    tooltip: str | None = None,
) -> Input:
    options = _options(default=default, tooltip=tooltip)
    return Input("COMBO", options, choices=choices, optional=optional, form=form)


def files(
    folder: str, *extra: str, form: Literal["v1", "v3"] = "v1", tooltip: str | None = None, **options: Any
) -> Input:
    return Input("COMBO", _options(tooltip=tooltip, **options), choices=extra, folder=folder, form=form)


def dynamic(*branches: Branch, tooltip: str | None = None, **options: Any) -> Input:
    return Input(DYNAMIC, _options(tooltip=tooltip, **options), branches=branches)


def maybe(spec: Input) -> Input:
    """Return the input as one that may be left out."""
    return replace(spec, optional=True)


def slots(*names: str) -> tuple[Slot, ...]:
    """Return one output per `TYPE` or `TYPE:name`."""
    parts = (name.partition(":") for name in names)
    return tuple(Slot(type_name, name or type_name) for type_name, _, name in parts)


def _options(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
