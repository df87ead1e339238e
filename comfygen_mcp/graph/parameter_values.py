"""Values that a caller gives for parameters, brought to their types or refused."""

import math
from collections.abc import Iterable

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.parameters import Parameter
from comfygen_mcp.graph.shown import bare, listed, shown
from comfygen_mcp.models import JsonValue, Scalar
from comfygen_mcp.names import nearest_names

_BOUNDED_LATER = {"seed", "width", "height", "frames", "batch_size"}
"""What the request itself has a field for: sizes are snapped, and a seed of -1 draws one."""


def checked_value(parameter: Parameter, value: JsonValue) -> JsonValue:
    """Return *value* in the parameter's type; raises BadRequest for one that it cannot be."""
    typed = _typed(parameter.type, value)
    if typed is None:
        wanted = "whole number" if parameter.type == "integer" else parameter.type
        raise BadRequest(f"{bare(parameter.name)}={_short(value)} is no {wanted}.{_range(parameter)}")
    if isinstance(typed, int | float) and not isinstance(typed, bool) and not _inside(parameter, typed):
        raise BadRequest(f"{bare(parameter.name)}={typed} is out of range.{_range(parameter)}")
    return typed


def unknown_parameter(name: str, known: Iterable[str], workflow: str) -> BadRequest:
    """Return the error for a name that *workflow* does not have."""
    names = tuple(known)
    near = nearest_names(name, names)
    meant = f"Did you mean {' or '.join(map(bare, near))}?" if near else _there(names)
    return BadRequest(
        f"Workflow {workflow} has no parameter {shown(name)}. {meant} list_workflows(name=...) tells all; an "
        "input of any node is addressed as 'node.input', for example '3.steps'."
    )


def _there(names: tuple[str, ...]) -> str:
    own = [name for name in names if "." not in name]
    if own or not names:
        return f"It has: {listed(own, 20) or 'none'}."
    return f"It has no placeholders; inputs of its nodes are {listed(names, 8)}."


def _typed(kind: str, value: JsonValue) -> Scalar | None:
    """Return *value* as *kind*, also from text, in which command lines and careful clients give numbers."""
    if kind == "string":
        return _text(value)
    if kind == "boolean":
        return {"true": True, "false": False}.get(str(value).lower())
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value if isinstance(value, int) else _number(value, whole=kind == "integer")


def _text(value: JsonValue) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: str | float, *, whole: bool) -> Scalar | None:
    """Read a number; large whole ones exactly, which a float would round."""
    try:
        if whole and isinstance(value, str):
            return int(value, 10)
        number = float(value)
    except ValueError:
        return None
    if whole:
        return int(number) if number.is_integer() else None
    return number if math.isfinite(number) else None


def _inside(parameter: Parameter, number: float) -> bool:
    if parameter.name in _BOUNDED_LATER:
        return True
    least, most = parameter.minimum, parameter.maximum
    return (least is None or number >= least) and (most is None or number <= most)


def _range(parameter: Parameter) -> str:
    if parameter.minimum is None or parameter.maximum is None:
        return ""
    return f" Use {parameter.minimum} to {parameter.maximum}."


def _short(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
