"""Ids: time-ordered UUIDv7 for jobs, and the ids of their generations, fixed before anything is submitted."""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime


def new_job_id(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, 74 random bits."""
    return str(_uuid7(_milliseconds(now), secrets.token_bytes(10)))


def generation_id(job_id: str, index: int) -> str:
    """Return the UUIDv7 of the *index*-th output of a job.

    It keeps the job's time and draws its other bits from the job id, so that collecting a job twice
    names its outputs the same way, and nobody can guess one id from the other's neighbour.
    """
    job = uuid.UUID(job_id)
    bits = hashlib.sha256(b"comfygen generation\0" + job.bytes + index.to_bytes(8, "big")).digest()
    return str(_uuid7(job.int >> 80, bits[:10]))


def id_time(identifier: str) -> datetime:
    """Return the moment that a UUIDv7 carries, in UTC.

    Raises ValueError when *identifier* is not a UUIDv7.
    """
    parsed = uuid.UUID(identifier)
    if parsed.version != 7:
        raise ValueError(f"{identifier!r} is not a UUIDv7")
    return datetime.fromtimestamp((parsed.int >> 80) / 1000, tz=UTC)


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)


def _uuid7(milliseconds: int, randomness: bytes) -> uuid.UUID:
    value = (milliseconds << 80) | int.from_bytes(randomness, "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)
