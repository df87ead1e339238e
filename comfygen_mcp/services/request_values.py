"""Values that a request gives by name: its own fields, placeholders of the workflow, or `node.input`."""

from collections.abc import Mapping

from pydantic import ValidationError

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.overrides import input_at
from comfygen_mcp.graph.shown import bare, listed, shown
from comfygen_mcp.graph.template import placeholder_name, placeholders
from comfygen_mcp.models import Graph, JsonValue, Record, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.names import nearest_names

_OWN_FIELDS: Mapping[str, str] = {
    **{name: name for name in ("prompt", "negative", "seed", "width", "height", "steps", "cfg", "sampler")},
    **{name: name for name in ("scheduler", "denoise", "frames", "fps", "scale", "upscale_model")},
    "batch_size": "count",
}
"""Placeholders that a field of the request fills → that field."""

_SHARED = frozenset({"seed", "width", "height", "frames", "batch_size"})
"""What all nodes must agree on: set at one of them, it is set at all."""


class GivenValues(Record):
    """*request* with those values that are its own fields; *values* fill placeholders, *overrides* inputs."""

    request: GenerateRequest
    values: dict[str, Scalar]
    overrides: dict[str, JsonValue]


def given_values(request: GenerateRequest, workflow: Workflow) -> GivenValues:
    """Sort the values of *request* by what they are for; raises BadRequest for a name that fits nothing."""
    if not request.values:
        return GivenValues(request=request, values={}, overrides={})
    given = by_placeholder(request.values, workflow.graph)
    known = placeholders(workflow.graph)
    values: dict[str, Scalar] = {}
    fields: dict[str, JsonValue] = {}
    overrides: dict[str, JsonValue] = {}
    for name, value in given.items():
        if name in known:
            values[name] = _scalar(name, value)
            if name in _OWN_FIELDS:
                fields[_OWN_FIELDS[name]] = values.pop(name)
        elif "." in name:
            overrides[name] = value
        else:
            raise BadRequest(_unknown(name, workflow, known))
    return GivenValues(request=_with_fields(request, fields), values=values, overrides=overrides)


def by_placeholder(given: Mapping[str, JsonValue], graph: Graph) -> dict[str, JsonValue]:
    """Return *given* with each `node.input` that holds nothing but a placeholder under that one's name.

    So it is checked, recorded and counted like any other value of the placeholder. One that several nodes
    share stays with the single input, unless all of them get the same. Raises BadRequest where placeholder
    and input contradict each other.
    """
    named = {name: value for name, value in given.items() if _placeholder_at(name, graph) is None}
    places = {name: len(found) for name, found in placeholders(graph).items()}
    by_name: dict[str, dict[str, JsonValue]] = {}
    for address, value in given.items():
        if (name := _placeholder_at(address, graph)) is not None:
            by_name.setdefault(name, {})[address] = value
    for name, at in by_name.items():
        everywhere = len(at) == places[name]
        if name in _SHARED or (everywhere and len({str(value) for value in at.values()}) == 1):
            named |= _joined(name, at, named)
        else:
            named |= at
    return named


def _placeholder_at(address: str, graph: Graph) -> str | None:
    """Return the placeholder that fills the input *address* all alone."""
    place = input_at(address, graph)
    if place is None:
        return None
    value = graph[place[0]]["inputs"].get(place[1])
    return placeholder_name(value) if isinstance(value, str) else None


def _joined(name: str, at: Mapping[str, JsonValue], named: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what is set by way of single inputs; a link stays where it is, for no placeholder holds one."""
    given = {**({name: named[name]} if name in named else {}), **at}
    if len({str(value) for value in given.values()}) > 1:
        told = " and ".join(f"{bare(key)}={str(value)[:60]!r}" for key, value in given.items())
        raise BadRequest(f"{told} contradict each other: {bare(name)} is what fills that input. Give one.")
    value = next(iter(at.values()))
    return dict(at) if isinstance(value, list | dict) else {name: value}


def _scalar(name: str, value: JsonValue) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        raise BadRequest(f"{bare(name)}={str(value)[:60]} is no text, number, true or false.")
    return value


def _with_fields(request: GenerateRequest, fields: Mapping[str, JsonValue]) -> GenerateRequest:
    try:
        return GenerateRequest.model_validate({**dict(request), **fields, "values": {}})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise BadRequest(f"{name}={str(first['input'])[:60]!r} does not fit: {first['msg']}.") from error


def _unknown(name: str, workflow: Workflow, known: Mapping[str, object]) -> str:
    near = nearest_names(name, known)
    there = f"It has: {listed(known, 20) or 'none'}."
    meant = f"Did you mean {' or '.join(map(bare, near))}?" if near else there
    return (
        f"Workflow {workflow.name} has no parameter {shown(name)}. {meant} Any other input is addressed as "
        "'node.input', for example '3.steps'."
    )
