"""From a query to PostgreSQL's SQL: conditions with their values, in the order newest first."""

from dataclasses import dataclass, replace
from typing import Any

from comfygen_mcp.index.base import Query
from comfygen_mcp.index.facets import folded, wanted_by
from comfygen_mcp.index.order import rids_between
from comfygen_mcp.index.postgres_rows import (
    audiences_of,
    indexable,
    packed_seed,
    storable,
    text_query,
    token_of,
)
from comfygen_mcp.index.query_text import Term, terms_of

RARE = 2_000
"""Up to so many expected matches are gathered first and sorted then: walking from the newest entry on until
a page is full would visit every entry when there are few."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The conditions of a query; *rids* are the bounds of the numbers that entries are sorted by."""

    conditions: tuple[str, ...]
    values: tuple[Any, ...]
    rids: tuple[int, int]
    terms: tuple[Term, ...]

    def below(self, rid: int) -> "Plan":
        """Return the plan for what comes after *rid*."""
        return replace(self, rids=(self.rids[0], min(self.rids[1], rid - 1)))

    def matches(self, columns: str) -> tuple[str, tuple[Any, ...]]:
        """Return the statement that yields *columns* of all matches, in no order."""
        where = " AND ".join(("rid BETWEEN %s AND %s", *self.conditions))
        return f"SELECT {columns} FROM entry WHERE {where}", (*self.rids, *self.values)  # noqa: S608  (own words)

    def newest(self, *, rare: bool) -> tuple[str, tuple[Any, ...]]:
        """Return the statement that yields rid and data, newest first; a limit is still to follow."""
        statement, values = self.matches("rid, data")
        if rare:
            # Our own words, as in `matches`.
            statement = f"WITH found AS MATERIALIZED ({statement}) SELECT rid, data FROM found"  # noqa: S608
        return f"{statement} ORDER BY rid DESC", values


def plan_of(query: Query) -> Plan:
    """Return the plan of *query*; raises BadRequest for a text that cannot be looked for."""
    terms = terms_of(query.text)
    found = [*_by_terms(query), *_by_columns(query)]
    if terms:
        found.append(("words @@ %s::tsquery", text_query(terms)))
    conditions = tuple(condition for condition, _ in found)
    return Plan(conditions, tuple(v for _, v in found), rids_between(query.since, query.until), terms)


def _by_terms(query: Query) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    wanted = [token_of(facet, indexable(folded(value))) for facet, value in wanted_by(query)]
    if wanted:
        found.append(("terms @> %s", wanted))
    if query.visible_to is not None:
        found.append(("terms && %s", [token_of(*term) for term in audiences_of(query.visible_to)]))
    return found


def _by_columns(query: Query) -> list[tuple[str, Any]]:
    ids = ("job_id", "group_id", "parent_id")
    found: list[tuple[str, Any]] = [
        (f"{name} = %s", indexable(value.casefold()))
        for name in ids
        if (value := getattr(query, name)) is not None
    ]
    seeds = {"=": query.seed, ">=": query.seed_min, "<=": query.seed_max}
    found += [(f"seed {sign} %s", packed_seed(seed)) for sign, seed in seeds.items() if seed is not None]
    if query.score_min is not None:
        found.append(("score >= %s", query.score_min))
    if query.contains:
        found.append(("position(%s in piece) > 0", storable(folded(query.contains))))
    return found
