"""The tables of a shared index: one PostgreSQL schema per store, so that stores do not see each other."""

import hashlib
from typing import TypeAlias

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

Connection: TypeAlias = AsyncConnection[TupleRow]

VERSION = 1
"""Raised whenever tables, or the way texts are cut into words, change: what is older is built again."""

_TABLES = """
CREATE TABLE entry(
  rid bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, data text NOT NULL, piece text NOT NULL,
  seed bigint NOT NULL, score double precision, job_id text NOT NULL, group_id text, parent_id text,
  owner text, shared boolean NOT NULL, terms text[] NOT NULL, words tsvector NOT NULL);
CREATE INDEX entry_words ON entry USING gin(words);
CREATE INDEX entry_terms ON entry USING gin(terms);
CREATE INDEX entry_seed ON entry(seed);
CREATE INDEX entry_job ON entry(job_id);
CREATE INDEX entry_group ON entry(group_id) WHERE group_id IS NOT NULL;
CREATE INDEX entry_parent ON entry(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX entry_score ON entry(score) WHERE score IS NOT NULL;
CREATE TABLE tally(
  facet text NOT NULL, folded text NOT NULL, audience text NOT NULL, value text NOT NULL,
  entries bigint NOT NULL, PRIMARY KEY(facet, folded, audience));
CREATE TABLE edited(id uuid PRIMARY KEY, changes text NOT NULL);
CREATE TABLE reading(one integer PRIMARY KEY CHECK(one = 1), state text NOT NULL);
CREATE TABLE version(number integer NOT NULL);
"""


def schema_of(store_name: str) -> str:
    """Return the name of the schema that a store's entries are in."""
    return f"comfygen_{hashlib.sha256(store_name.encode()).hexdigest()[:16]}"


def lock_of(schema: str) -> int:
    """Return the number of the lock that whoever changes *schema* holds."""
    return int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], "big", signed=True)


async def prepare(connection: Connection, schema: str) -> None:
    """Make the tables where there are none of this version; several processes may come at once."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(schema),))
        if await _is_current(connection, schema):
            return
        name = sql.Identifier(schema)
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(name))
        await connection.execute(_TABLES)
        await connection.execute("INSERT INTO version(number) VALUES(%s)", (VERSION,))


async def _is_current(connection: Connection, schema: str) -> bool:
    found = await connection.execute("SELECT to_regclass(%s)", (f"{schema}.version",))
    row = await found.fetchone()
    if row is None or row[0] is None:
        return False
    query = sql.SQL("SELECT max(number) FROM {}.version").format(sql.Identifier(schema))
    row = await (await connection.execute(query)).fetchone()
    return row is not None and row[0] == VERSION
