"""The checks of one input value: coercion, range, membership and type of a link."""

from collections.abc import Callable
from typing import Any

from comfygen_mcp.engine.json_shapes import as_dict
from comfygen_mcp.engine.nodes.spec import Input, Listing
from comfygen_mcp.engine.replies import MALFORMED

COERCIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
LONGEST_QUOTED_LIST = 20


def error(kind: str, message: str, details: str, extra: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def links_fit(received: str, wanted: Any) -> bool:
    if received == wanted or "*" in {received, wanted}:
        return True
    if not isinstance(wanted, str):
        return received == "COMBO"
    return bool({part.strip() for part in received.split(",")} & {part.strip() for part in wanted.split(",")})


def checked_value(
    spec: Input, name: str, given: dict[str, Any], listing: Listing, *, custom: bool
) -> dict[str, Any] | bool:
    """Coerce *given[name]* in place; return its error, or True. A *custom* input is checked elsewhere."""
    value = given[name]
    config = spec.wire(listing)
    wrapped = as_dict(value)
    if wrapped and "__value__" in wrapped:
        value = given[name] = wrapped["__value__"]
    try:
        value = given[name] = COERCIONS.get(spec.type, _unchanged)(value)
    except MALFORMED as exception:
        extra = {
            "input_name": name,
            "input_config": config,
            "received_value": value,
            "exception_message": str(exception),
        }
        message = f"Failed to convert an input value to a {spec.type} value"
        return error("invalid_input_type", message, f"{name}, {value}, {exception}", extra)
    if custom:
        return True
    return _out_of_range(spec, name, value, config) or _not_listed(spec, name, value, listing) or True


def _out_of_range(spec: Input, name: str, value: Any, config: list[Any]) -> dict[str, Any] | None:
    extra = {"input_name": name, "input_config": config, "received_value": value}
    low, high = spec.options.get("min"), spec.options.get("max")
    if low is not None and value < low:
        return error("value_smaller_than_min", f"Value {value} smaller than min of {low}", name, extra)
    if high is not None and value > high:
        return error("value_bigger_than_max", f"Value {value} bigger than max of {high}", name, extra)
    return None


def _not_listed(spec: Input, name: str, value: Any, listing: Listing) -> dict[str, Any] | None:
    choices = spec.listed(listing)
    if choices is None or value in choices:
        return None
    is_long = len(choices) > LONGEST_QUOTED_LIST
    shown = f"(list of length {len(choices)})" if is_long else str(choices)
    extra = {
        "input_name": name,
        "input_config": None if is_long else spec.wire(listing),
        "received_value": value,
    }
    return error("value_not_in_list", "Value not in list", f"{name}: {value!r} not in {shown}", extra)


def _unchanged(value: Any) -> Any:
    return value
