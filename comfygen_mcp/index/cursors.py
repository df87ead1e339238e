"""Cursors: where the last page of a search ended, in a text that only the same search takes back."""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Query

_FIELDS = struct.Struct(">qqd")
_SEAL_BYTES = 8


@dataclass(frozen=True, slots=True)
class Position:
    """The last entry that was shown; by relevance also its *score*, and the *newest* one that was ranked."""

    rid: int
    newest: int = 0
    score: float = 0.0


def cursor_of(position: Position, query: Query) -> str:
    """Return the cursor that leads *query* on from *position*."""
    return _sealed(_FIELDS.pack(position.rid, position.newest, position.score), query)


def position_of(cursor: str, query: Query) -> Position:
    """Read a cursor; raises BadRequest when it is of another search, or was changed."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        data = b""
    packed = data[: _FIELDS.size]
    if len(packed) != _FIELDS.size or cursor != _sealed(packed, query):
        raise BadRequest(
            f"The cursor {cursor[:60]!r} belongs to another search, or was changed. Send the cursor of the "
            "last page with exactly the same search, or leave it out to begin at the first page."
        )
    rid, newest, score = _FIELDS.unpack(packed)
    return Position(rid=rid, newest=newest, score=score)


def _sealed(packed: bytes, query: Query) -> str:
    seal = hashlib.blake2b(packed + query.model_dump_json().encode(), digest_size=_SEAL_BYTES).digest()
    return base64.urlsafe_b64encode(packed + seal).decode().rstrip("=")
