"""From a query to SQL: what full text finds, what an index finds, and what is looked at row by row."""

import re
import sqlite3
from dataclasses import dataclass, replace

from comfygen_mcp.index.base import Query
from comfygen_mcp.index.facets import folded
from comfygen_mcp.index.order import rids_between
from comfygen_mcp.index.query_text import Term, terms_of
from comfygen_mcp.index.sqlite_match import match_of
from comfygen_mcp.index.sqlite_rows import Cell, packed_id, packed_seed

NARROW = 500
"""Entries that an index may find to be the way in; more are met sooner by walking from the newest on."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of SQL with its value; *index* is the one that finds its entries."""

    sql: str
    values: tuple[Cell, ...]
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the matches of a query are found, newest first; *nothing* means: there are none."""

    match: str = ""
    conditions: tuple[Condition, ...] = ()
    low: int = 0
    high: int = 0
    way_in: str | None = None
    nothing: bool = False
    terms: tuple[Term, ...] = ()

    def below(self, rid: int) -> "Plan":
        """Return the plan for what comes after *rid*."""
        return replace(self, high=min(self.high, rid - 1))

    def entries(self, columns: str) -> tuple[str, list[Cell]]:
        """Return the statement that yields *columns* of `e`, the newest first, and its values."""
        # CROSS JOIN keeps SQLite from choosing another order of tables.
        if self.way_in is not None:
            rid, tables = "e.rid", f"entry AS e INDEXED BY {self.way_in}"
            tables += " CROSS JOIN words ON words.rowid = e.rid" if self.match else ""
        elif self.match:
            rid, tables = "words.rowid", "words CROSS JOIN entry AS e ON e.rid = words.rowid"
        else:
            rid, tables = "e.rid", "entry AS e"
        where, values = self._where(rid)
        # Only our own words are put into the text; what callers say is in the values.
        return f"SELECT {columns} FROM {tables} WHERE {where} ORDER BY {rid} DESC", values  # noqa: S608

    def numbers(self) -> tuple[str, list[Cell]]:
        """Return the statement that yields one row per match, as cheaply as can be, and its values."""
        if not self.match or self.conditions:
            return self.entries("1")
        where, values = self._where("words.rowid")
        return f"SELECT 1 FROM words WHERE {where}", values  # noqa: S608  (as above)

    def _where(self, rid: str) -> tuple[str, list[Cell]]:
        wheres = [f"{rid} BETWEEN ? AND ?", *(condition.sql for condition in self.conditions)]
        values = [self.low, self.high, *(v for condition in self.conditions for v in condition.values)]
        if self.match:
            wheres.append("words MATCH ?")
            values.append(self.match)
        return " AND ".join(wheres), values


def plan_of(connection: sqlite3.Connection, query: Query) -> Plan:
    """Return the plan of *query*; raises BadRequest for a text that cannot be looked for."""
    terms = terms_of(query.text)
    conditions = tuple(_conditions(query))
    way_in = _way_in(connection, conditions)
    by_score = query.score_min is not None and way_in is None
    match = match_of(connection, query, terms, by_score=by_score)
    low, high = rids_between(query.since, query.until)
    return Plan(
        match=match or "",
        conditions=conditions,
        low=low,
        high=high,
        way_in=way_in,
        nothing=match is None,
        terms=terms,
    )


def _conditions(query: Query) -> list[Condition]:
    ids = {"job_id": "entry_job", "parent_id": "entry_parent", "group_id": "entry_group"}
    conditions = [
        Condition(f"e.{name} = ?", (packed_id(value.casefold()),), index)
        for name, index in ids.items()
        if (value := getattr(query, name)) is not None
    ]
    bounds = {"=": query.seed, ">=": query.seed_min, "<=": query.seed_max}
    given = {operator: packed_seed(seed) for operator, seed in bounds.items() if seed is not None}
    if given:
        sql = " AND ".join(f"e.seed {operator} ?" for operator in given)
        conditions.append(Condition(sql, tuple(given.values()), "entry_seed"))
    if query.score_min is not None:
        conditions.append(Condition("e.score >= ?", (query.score_min,), "entry_score"))
    if query.contains:
        conditions.append(_containing(query.contains))
    return conditions


def _containing(piece: str) -> Condition:
    if piece.isascii() and "\0" not in piece:
        # SQLite's own comparison knows the case of ASCII letters, and is twice as fast.
        return Condition("e.prompt LIKE ? ESCAPE '!'", (f"%{_escaped(piece)}%",))
    return Condition("instr(folded(e.prompt), ?)", (folded(piece),))


def _escaped(piece: str) -> str:
    return re.sub("[!%_]", r"!\g<0>", piece)


def _way_in(connection: sqlite3.Connection, conditions: tuple[Condition, ...]) -> str | None:
    """Return the first index that finds so few entries that looking at each of them is quick."""
    for condition in conditions:
        if condition.index is not None:
            table = f"entry AS e INDEXED BY {condition.index}"
            probe = f"SELECT 1 FROM {table} WHERE {condition.sql} LIMIT ?"  # noqa: S608  (our own words)
            found = connection.execute(probe, (*condition.values, NARROW + 1)).fetchall()
            if len(found) <= NARROW:
                return condition.index
    return None
