"""The plan of a comparison: its axes become cells, with labels and file names; nothing is looked up."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count, product
from pathlib import PurePosixPath
from typing import cast

from comfygen_mcp.compare import AXES, MAX_CELLS, NONE, Axes, Axis, Cell
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import JsonValue, LoraUse

SINGULAR: Mapping[Axis, str] = {
    "models": "model",
    "presets": "preset",
    "loras": "LoRA",
    "strengths": "LoRA strength",
    "seeds": "seed",
    "steps": "steps",
    "cfg": "cfg",
}
"""What one value of an axis is called."""
PROMPT_SLUG = 40
NAME_SLUG = 60
"""Characters of the pieces of a file name."""
NAME_BYTES = 200
"""Longest file name, without extension and number: file systems allow 255."""

_NO_SLUG = re.compile(r"[^\w.]+")


def varying(axes: Axes) -> tuple[Axis, ...]:
    """Return the axes with more than one value; raises BadRequest for more than rows and columns."""
    found: tuple[Axis, ...] = tuple(axis for axis in AXES if len(getattr(axes, axis)) > 1)
    if len(found) > 2:
        raise BadRequest(
            f"{len(found)} axes vary: {', '.join(found)}. A sheet has rows and columns: keep two, give the "
            "others one value each, and compare again for their other values."
        )
    return found


def planned_cells(prompt: str, axes: Axes) -> tuple[Cell, ...]:
    """Return the cells, row by row; *axes* has a model and a seed at least, and no value left to choose.

    Raises BadRequest for too many, and for one alone.
    """
    found = varying(axes)
    _check_count(axes, found)
    if axes.strengths and not any(axes.loras):
        raise BadRequest(
            'Strengths are those of a LoRA, and there is none. Add one: {"loras": ["NAME"], "strengths": '
            "[...]} (--loras NAME). list_loras (or `comfygen loras`) tells the names."
        )
    labels = {axis: dict(zip(getattr(axes, axis), _labels(axes, axis), strict=True)) for axis in found}
    every: list[tuple[JsonValue, ...]] = [getattr(axes, axis) or (None,) for axis in AXES]
    chosen = [dict(zip(AXES, values, strict=True)) for values in product(*every)]
    cells = [_cell(prompt, of, {axis: labels[axis][of[axis]] for axis in found}) for of in chosen]
    return tuple(_with_own_names(cells))


def slug(text: str, longest: int) -> str:
    """Return *text* as a piece of a file name: letters of any script, digits and single dashes."""
    return _NO_SLUG.sub("-", text.casefold())[:longest].strip("-._") or "untitled"


def folder_name(prompt: str, moment: datetime) -> str:
    """Return `YYYYMMDD-HHMMSS-<prompt-slug>`, in the time of *moment*'s zone."""
    return f"{moment:%Y%m%d-%H%M%S}-{slug(prompt, PROMPT_SLUG)}"


def labels_along(cells: Sequence[Cell], place: int) -> tuple[str, ...]:
    """Return the labels of the axis at *place*, each once, in the order of the cells."""
    return tuple(dict.fromkeys(cell.labels[place] for cell in cells))


def _check_count(axes: Axes, axes_that_vary: Sequence[Axis]) -> None:
    sizes = [len(getattr(axes, axis)) for axis in axes_that_vary]
    if not sizes:
        raise BadRequest(
            "There is only one cell, and nothing to compare it with. Name two or more models, or give an "
            f'axis several values, for example {{"steps": [4, 8]}} (--steps 4,8). Axes: {", ".join(AXES)}.'
        )
    if math.prod(sizes) > MAX_CELLS:
        counted = " x ".join(f"{size} {axis}" for size, axis in zip(sizes, axes_that_vary, strict=True))
        raise BadRequest(
            f"{counted} are {math.prod(sizes)} cells; at most {MAX_CELLS} go on one sheet. Use fewer values."
        )


def _labels(axes: Axes, axis: Axis) -> tuple[str, ...]:
    """Return what the values of an axis are called: short, and in full where two would be the same."""
    values: tuple[JsonValue, ...] = getattr(axes, axis)
    short = tuple(_short_label(axis, value, "strengths" in varying(axes)) for value in values)
    return short if len(set(short)) == len(short) else tuple(_full_label(value) for value in values)


def _short_label(axis: Axis, value: JsonValue, without_strength: bool) -> str:
    match axis:
        case "loras":
            return " + ".join(_short_lora(use, without_strength) for use in value) or NONE
        case "strengths" | "cfg":
            return f"{value:g}"
        case _:
            return NONE if value is None else str(value)


def _short_lora(use: LoraUse, without_strength: bool) -> str:
    name = PurePosixPath(use.name.replace("\\", "/")).name.removesuffix(".safetensors")
    return name if without_strength or use.strength == 1 else f"{name} {use.strength:g}"


def _full_label(value: JsonValue) -> str:
    if not isinstance(value, tuple):
        return NONE if value is None else str(value)
    uses = cast("tuple[LoraUse, ...]", value)
    return " + ".join(":".join(map(str, use.model_dump().values())) for use in uses) or NONE


def _cell(prompt: str, chosen: Mapping[Axis, JsonValue], labels: Mapping[Axis, str]) -> Cell:
    parts = [_axis_slug(axis, label) for axis, label in labels.items() if axis != "models"]
    return Cell(
        backend=chosen["models"],
        preset=chosen["presets"],
        loras=_loras(chosen["loras"] or (), chosen["strengths"]),
        seed=chosen["seeds"],
        steps=chosen["steps"],
        cfg=chosen["cfg"],
        labels=tuple(labels.values()),
        name=_within_limit("--".join([slug(prompt, PROMPT_SLUG), slug(chosen["models"], NAME_SLUG), *parts])),
    )


def _axis_slug(axis: Axis, label: str) -> str:
    return slug(f"{SINGULAR[axis].rpartition(' ')[2]} {label}", NAME_SLUG)


def _loras(uses: Iterable[LoraUse], strength: float | None) -> tuple[LoraUse, ...]:
    if strength is None:
        return tuple(uses)
    return tuple(use.model_copy(update={"strength": strength, "strength_clip": None}) for use in uses)


def _within_limit(name: str) -> str:
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def _with_own_names(cells: Sequence[Cell]) -> Iterable[Cell]:
    """Number the names that two cells would share."""
    taken: set[str] = set()
    for cell in cells:
        numbered = (f"{cell.name}-{number}" for number in count(2))
        name = cell.name if cell.name not in taken else next(n for n in numbered if n not in taken)
        taken.add(name)
        yield cell.model_copy(update={"name": name})
