"""Values that a request gives by name: its own fields, placeholders of the workflow, or `node.input`."""

from collections.abc import Mapping

from pydantic import ValidationError

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import JsonValue, Record, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.names import nearest_names

_OWN_FIELDS: Mapping[str, str] = {
    **{name: name for name in ("prompt", "negative", "seed", "width", "height", "steps", "cfg", "sampler")},
    **{name: name for name in ("scheduler", "denoise", "frames", "fps", "scale", "upscale_model")},
    "batch_size": "count",
}
"""Placeholders that a field of the request fills → that field."""


class GivenValues(Record):
    """*request* with those values that are its own fields; *values* fill placeholders, *overrides* inputs."""

    request: GenerateRequest
    values: dict[str, Scalar]
    overrides: dict[str, JsonValue]


def given_values(request: GenerateRequest, workflow: Workflow) -> GivenValues:
    """Sort the values of *request* by what they are for; raises BadRequest for a name that fits nothing."""
    if not request.values:
        return GivenValues(request=request, values={}, overrides={})
    known = placeholders(workflow.graph)
    values: dict[str, Scalar] = {}
    fields: dict[str, JsonValue] = {}
    overrides: dict[str, JsonValue] = {}
    for name, value in request.values.items():
        if name in known:
            values[name] = _scalar(name, value)
            if name in _OWN_FIELDS:
                fields[_OWN_FIELDS[name]] = values.pop(name)
        elif "." in name:
            overrides[name] = value
        else:
            raise BadRequest(_unknown(name, workflow, known))
    return GivenValues(request=_with_fields(request, fields), values=values, overrides=overrides)


def _scalar(name: str, value: JsonValue) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        raise BadRequest(f"{name}={str(value)[:60]} is no text, number, true or false.")
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
    meant = f"Did you mean {' or '.join(near)}?" if near else f"It has: {', '.join(known) or 'none'}."
    return (
        f"Workflow {workflow.name} has no parameter {name[:80]!r}. {meant} Any other input is addressed as "
        "'node.input', for example '3.steps'."
    )
