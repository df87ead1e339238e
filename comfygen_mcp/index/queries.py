"""From raw values to a Query; what cannot be used is refused by name."""

from collections.abc import Mapping
from typing import get_args

from pydantic import ValidationError

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.index.base import MAX_PAGE, MAX_TEXT, Query, Sort
from comfygen_mcp.index.order import microseconds
from comfygen_mcp.models import SEED_MAX, JsonValue, Kind, MediaType

_CHOICES = {"kind": get_args(Kind), "media": get_args(MediaType), "sort": get_args(Sort)}
_TEXTS = ("text", "contains")
_SEEDS = ("seed", "seed_min", "seed_max")
_MOMENTS = ("since", "until")


def query_of(values: Mapping[str, JsonValue]) -> Query:
    """Return the query of *values*; None means: not given. Raises BadRequest, naming the value."""
    given = {name: value for name, value in values.items() if value is not None}
    for name in given:
        if name not in Query.model_fields:
            raise UnknownName("search filter", name, Query.model_fields)
    try:
        query = Query.model_validate(given)
    except ValidationError as error:
        raise _refusal(given, error) from error
    _check_spans(query)
    return query


def checked_limit(limit: int) -> int:
    """Return *limit*; raises BadRequest when no page can be so long."""
    if not 1 <= limit <= MAX_PAGE:
        raise BadRequest(f"limit must be 1 to {MAX_PAGE}, not {limit}. Ask for the rest page by page.")
    return limit


def _refusal(given: Mapping[str, JsonValue], error: ValidationError) -> BadRequest:
    details = error.errors(include_url=False, include_input=False)[0]
    name = str(details["loc"][0])
    value = given[name]
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
    if name in _TEXTS and isinstance(value, str) and len(value) > MAX_TEXT:
        return BadRequest(
            f"{name} has {len(value):,} characters, and at most {MAX_TEXT:,} are looked for. "
            "Give the few words that tell the picture from others."
        )
    if name in _CHOICES:
        return UnknownName(name, str(value), _CHOICES[name])
    if name in _SEEDS:
        return BadRequest(f"{name} must be a whole number from 0 to {SEED_MAX}, not {shown}.")
    if name in _MOMENTS:
        return BadRequest(f"{name} must be a date such as 2026-11-20 or 2026-11-20T08:30Z, not {shown}.")
    return BadRequest(f"{name} cannot be {shown}: {details['msg'][:1].lower()}{details['msg'][1:]}.")


def _check_spans(query: Query) -> None:
    if query.seed_min is not None and query.seed_max is not None and query.seed_min > query.seed_max:
        raise BadRequest(f"seed_min {query.seed_min} is above seed_max {query.seed_max}: exchange them.")
    if (
        query.since is not None
        and query.until is not None
        and microseconds(query.since) >= microseconds(query.until)
    ):
        raise BadRequest(
            f"since {query.since.isoformat()} is not before until {query.until.isoformat()}: until itself is "
            "not included."
        )
