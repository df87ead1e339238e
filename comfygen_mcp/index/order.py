"""The order of entries: one 64-bit number each, so that newest first, date ranges and pages are one walk.

rid = created_at in milliseconds << 20 | the last 20 bits of the id
"""

import uuid
from datetime import UTC, datetime

from comfygen_mcp.errors import BadRequest

ID_BITS = 20
LOWEST_RID, HIGHEST_RID = -(2**63), 2**63 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST_MS = 2**43 - 1
"""The year 2248: what is dated later is sorted as if it were of then."""


def rid_of(generation_id: uuid.UUID, created_at: datetime) -> int:
    """Return the number that sorts a generation; the rare one that is taken makes way for the next."""
    return (_clamped(milliseconds(created_at)) << ID_BITS) | (generation_id.int & (2**ID_BITS - 1))


def rids_between(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Return the lowest and the highest number from *since* to before *until*, to a millisecond."""
    low = LOWEST_RID if since is None else _clamped(milliseconds(since)) << ID_BITS
    high = HIGHEST_RID if until is None else (_clamped(milliseconds(until)) << ID_BITS) - 1
    return low, high


def milliseconds(moment: datetime) -> int:
    """Return milliseconds since 1970, rounded down."""
    return microseconds(moment) // 1000


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970, exactly; a time without a zone is UTC."""
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def uuid_of(generation_id: str) -> uuid.UUID:
    """Return the id as a UUID; raises BadRequest when it is none."""
    try:
        return uuid.UUID(generation_id)
    except ValueError as error:
        raise BadRequest(
            f"{generation_id[:80]!r} is not a generation id. It is a UUID such as "
            "01a2b3c4-5d6e-7f80-9a1b-2c3d4e5f6071."
        ) from error


def _clamped(ms: int) -> int:
    return max(-_FARTHEST_MS, min(_FARTHEST_MS, ms))
