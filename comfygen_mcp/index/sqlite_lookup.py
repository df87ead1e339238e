"""What is read from the embedded index without a search: one entry, ids, how far it has read."""

import sqlite3
import uuid

from pydantic import ValidationError

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Entry, Reading
from comfygen_mcp.index.order import uuid_of
from comfygen_mcp.index.sqlite_rows import COLUMNS, Cell, entry_of_row
from comfygen_mcp.index.sqlite_terms import EVERY, find_term

_DIGITS = 32


def entry_with(connection: sqlite3.Connection, generation_id: str) -> Entry | None:
    """Return the entry of an id; None also for what is no id at all."""
    try:
        identifier = uuid_of(generation_id).bytes
    except BadRequest:
        return None
    sql = f"SELECT {', '.join(COLUMNS)} FROM entry WHERE id = ?"  # noqa: S608  (our own column names)
    row = connection.execute(sql, (identifier,)).fetchone()
    return None if row is None else entry_of_row(row)


def ids_beginning(
    connection: sqlite3.Connection, beginning: str, limit: int, visible_to: str | None
) -> list[str]:
    """Return ids in descending order, which for ids of ours is newest first."""
    digits = beginning.replace("-", "")
    try:
        low, high = (bytes.fromhex(digits.ljust(_DIGITS, fill)) for fill in "0f")
    except ValueError:
        return []
    if len(low) * 2 != _DIGITS:
        return []
    sql = "SELECT id FROM entry WHERE id BETWEEN ? AND ?"
    values: list[Cell] = [low, high]
    if visible_to is not None:
        sql += " AND (owner = ? OR shared)"
        values.append(visible_to)
    rows = connection.execute(f"{sql} ORDER BY id DESC LIMIT ?", (*values, limit)).fetchall()
    return [str(uuid.UUID(bytes=identifier)) for (identifier,) in rows]


def size_of(connection: sqlite3.Connection) -> int:
    sql = "SELECT coalesce(sum(entries), 0) FROM tally WHERE tid = ?"
    return connection.execute(sql, (find_term(connection, *EVERY),)).fetchone()[0]


def reading_of(connection: sqlite3.Connection) -> Reading:
    """Return how far a store was read; a state that nobody can read means: not at all."""
    found = connection.execute("SELECT state FROM reading").fetchone()
    try:
        return Reading() if found is None else Reading.model_validate_json(found[0])
    except ValidationError:
        return Reading()
