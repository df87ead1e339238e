"""Entries for tests of the index: valid ones, told apart by what a test names."""

import uuid
from datetime import UTC, datetime, timedelta

from comfygen_mcp.edits import Edit
from comfygen_mcp.index.base import Entry

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def uuid7(moment, number=0):
    """Return a UUIDv7 of *moment*; its random bits are *number*."""
    milliseconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    return str(uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | number))


def entry(number=0, **fields):
    """Return an entry *number* seconds after noon; its id is of that moment."""
    created_at = fields.pop("created_at", NOON + timedelta(seconds=number))
    identifier = fields.pop("id", uuid7(created_at, number))
    usual = {
        "key": f"g/{created_at:%Y/%m/%d/%Y%m%d_%H%M%S}_{identifier}_0.png",
        "prompt": f"picture {number}",
        "negative_prompt": "",
        "kind": "txt2img",
        "media": "image",
        "mime": "image/png",
        "model": "sd15.safetensors",
        "backend": "sd15",
        "workflow": "sd15.json",
        "preset": None,
        "style": None,
        "loras": (),
        "seed": number,
        "steps": 20,
        "cfg": 7.5,
        "sampler": "euler",
        "scheduler": "normal",
        "width": 512,
        "height": 768,
        "size_bytes": 1000 + number,
        "sha256": f"{number:064x}",
        "job_id": uuid7(created_at, 2**40 + number),
        "group_id": None,
        "parent_id": None,
        "owner": None,
        "preview_engine": True,
        "latency_ms": 1234,
        "score": None,
        "tags": (),
    }
    return Entry(id=identifier, created_at=created_at, **{**usual, **fields})


def edit(generation, number=0, **fields):
    """Return an edit of a generation, made *number* seconds after one o'clock."""
    moment = NOON + timedelta(hours=1, seconds=number)
    identifier = generation if isinstance(generation, str) else generation.id
    return Edit(id=uuid7(moment, number), generation_id=identifier, **fields)
