"""The tables of the embedded index."""

import sqlite3

VERSION = 1
"""Raised when tables, or the way texts are cut into words, change: files of other versions are not read."""

_APPLICATION_ID = 0x43474958
"""Marks the file as ours ("CGIX")."""

# `words` is contentless: its rows follow from the entry's, which saves a copy of every text. Its words are
# cut before (query_text.py), so the tokenizer has nothing to do but to split at spaces.
_TABLES = """
CREATE TABLE entry(
  rid INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, key TEXT NOT NULL, created_at INTEGER NOT NULL,
  prompt TEXT NOT NULL, negative_prompt TEXT NOT NULL, kind TEXT NOT NULL, media TEXT NOT NULL,
  mime TEXT NOT NULL, model TEXT NOT NULL, backend TEXT NOT NULL, workflow TEXT NOT NULL, preset TEXT,
  style TEXT, loras TEXT NOT NULL, seed INTEGER NOT NULL, steps INTEGER, cfg REAL, sampler TEXT,
  scheduler TEXT, width INTEGER, height INTEGER, size_bytes INTEGER NOT NULL, sha256 BLOB NOT NULL,
  job_id BLOB NOT NULL, group_id BLOB, parent_id BLOB, owner TEXT, preview_engine INTEGER NOT NULL,
  latency_ms INTEGER NOT NULL, score REAL, tags TEXT NOT NULL, shared INTEGER NOT NULL);
CREATE INDEX entry_seed ON entry(seed);
CREATE INDEX entry_job ON entry(job_id);
CREATE INDEX entry_group ON entry(group_id) WHERE group_id IS NOT NULL;
CREATE INDEX entry_parent ON entry(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX entry_score ON entry(score) WHERE score IS NOT NULL;
CREATE VIRTUAL TABLE words USING fts5(
  prompt, negative_prompt, tags, facets, content='', tokenize='ascii');
CREATE TABLE term(
  tid INTEGER PRIMARY KEY, facet TEXT NOT NULL, folded TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE(facet, folded));
CREATE TABLE vocabulary(word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tally(
  tid INTEGER NOT NULL, audience INTEGER NOT NULL, entries INTEGER NOT NULL,
  PRIMARY KEY(tid, audience)) WITHOUT ROWID;
CREATE TABLE edited(id BLOB PRIMARY KEY, changes TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reading(one INTEGER PRIMARY KEY CHECK(one = 1), state TEXT NOT NULL);
"""


def created(connection: sqlite3.Connection) -> bool:
    """Make the tables where there are none; False when the file holds something else, or another version."""
    if _is_ours(connection):
        return True
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have made them while this one waited.
    ours = _is_ours(connection) or _filled(connection)
    connection.execute("COMMIT")
    return ours


def _is_ours(connection: sqlite3.Connection) -> bool:
    marks = [
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    ]
    return marks == [_APPLICATION_ID, VERSION]


def _filled(connection: sqlite3.Connection) -> bool:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    # Larger batches in memory make fewer pieces on the disk that are merged later.
    connection.execute("INSERT INTO words(words, rank) VALUES('hashsize', 16777216)")
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    return True
