"""What an entry can be filtered and counted by, and who may see it."""

from typing import Literal, TypeAlias, get_args

from comfygen_mcp.index.base import Entry, Facet, Query

Audience: TypeAlias = Literal["everyone", "owner", "nobody"]
"""Who sees an entry besides those who see all: everyone, the owner alone, or nobody else."""

FACETS: tuple[Facet, ...] = get_args(Facet)


def values_of(entry: Entry, facet: Facet) -> tuple[str, ...]:
    """Return what *entry* has of *facet*: none, one, or several that differ by more than case."""
    match facet:
        case "lora":
            values = entry.loras
        case "tag":
            values = entry.tags
        case _:
            values = (getattr(entry, facet) or "",)
    # Backwards, so that of two spellings the first stays.
    return tuple({folded(value): value for value in reversed(values) if value}.values())


def wanted_by(query: Query) -> list[tuple[Facet, str]]:
    """Return the facet values that *query* asks for."""
    return [(facet, value) for facet in FACETS for value in _asked(query, facet)]


def folded(value: str) -> str:
    """Return *value* as it is compared: without case."""
    return value.casefold()


def audience_of(entry: Entry) -> Audience:
    if entry.shared:
        return "everyone"
    return "nobody" if entry.owner is None else "owner"


def _asked(query: Query, facet: Facet) -> tuple[str, ...]:
    if facet == "tag":
        return query.tags
    value = getattr(query, facet)
    return () if value is None else (value,)
