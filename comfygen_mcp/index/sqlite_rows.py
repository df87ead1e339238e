"""Between an Entry and its row: ids and hashes as bytes, the seed moved into SQLite's signed 64 bits."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from pydantic import ValidationError

from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.order import microseconds

Cell: TypeAlias = str | bytes | int | float | None
"""What SQLite holds."""

COLUMNS = tuple(Entry.model_fields)
"""Columns of the table `entry` besides `rid`, named as the fields are."""

_SEED_OFFSET = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = 2**63 - 1
_FIRST = microseconds(datetime.min.replace(tzinfo=UTC))
_LAST = microseconds(datetime.max.replace(tzinfo=UTC))


def cells_of(entry: Entry) -> list[Cell]:
    """Return the row of *entry*, in the order of COLUMNS."""
    fields = dict(entry.__dict__)
    for name, pack in _PACK.items():
        if fields[name] is not None:
            fields[name] = pack(fields[name])
    return [fields[name] for name in COLUMNS]


def entry_of_row(row: Sequence[Any]) -> Entry:
    """Return the entry of a row that holds COLUMNS."""
    fields = dict(zip(COLUMNS, row, strict=True))
    for name, read in _READ.items():
        fields[name] = read(fields[name])
    try:
        return Entry.model_validate(fields)
    except ValidationError:
        # Added by a version of this program that knows more; it is shown as it is.
        return Entry.model_construct(**fields)


def packed_id(text: str) -> str | bytes:
    """Return a UUID as its 16 bytes; any other text stays as it is."""
    data = _packed_hash(text.replace("-", ""))
    return data if isinstance(data, bytes) and _id_text(data) == text else text


def packed_seed(seed: int) -> int:
    """Return *seed* moved by 2^63, which keeps the order."""
    return seed - _SEED_OFFSET


def _moment(value: int) -> datetime:
    """Return the time of so many microseconds, or the nearest that a datetime holds."""
    return _EPOCH + timedelta(microseconds=max(_FIRST, min(_LAST, value)))


def _int64(value: int) -> int:
    return max(-_INT64, min(_INT64, value))


def _packed_hash(text: str) -> str | bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return text
    return data if data.hex() == text else text


def _packed_names(names: Sequence[str]) -> str:
    return json.dumps(names, ensure_ascii=False) if names else ""


def _id_text(value: str | bytes | None) -> str | None:
    if not isinstance(value, bytes):
        return value
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _hash_text(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else value


def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


_PACK: Mapping[str, Callable[[Any], Cell]] = {
    **dict.fromkeys(("id", "job_id", "group_id", "parent_id"), packed_id),
    **dict.fromkeys(("loras", "tags"), _packed_names),
    **dict.fromkeys(("steps", "width", "height", "size_bytes", "latency_ms"), _int64),
    "sha256": _packed_hash,
    "seed": packed_seed,
    "created_at": microseconds,
}
_READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("id", "job_id", "group_id", "parent_id"), _id_text),
    **dict.fromkeys(("loras", "tags"), _names),
    **dict.fromkeys(("preview_engine", "shared"), bool),
    "sha256": _hash_text,
    "seed": lambda value: value + _SEED_OFFSET,
    "created_at": _moment,
}
