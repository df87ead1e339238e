"""From a generation to its entry in the index."""

import re
from datetime import UTC, datetime
from typing import Any, cast

from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation

_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")


def entry_of(generation: Generation) -> Entry:
    """Return what the index holds of *generation*, as its sidecar says; the time in UTC.

    Raises ValidationError or OverflowError for a number or a time that no entry can have.
    """
    alike = (
        *("id", "key", "prompt", "negative_prompt", "kind", "media", "mime", "model", "backend", "workflow"),
        *("preset", "style", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height"),
        *("size_bytes", "sha256", "job_id", "group_id", "parent_id", "owner", "preview_engine", "tags"),
    )
    entry = Entry(
        **{name: getattr(generation, name) for name in alike},
        created_at=_in_utc(generation.timestamp),
        loras=tuple(lora.name for lora in generation.loras),
        latency_ms=generation.timings.latency_ms,
        score=generation.validation_score,
    )
    return encodable(entry)


def encodable(entry: Entry) -> Entry:
    """Return *entry* with U+FFFD in place of lone surrogates, which have no UTF-8 form."""
    changed: dict[str, Any] = {}
    for name, value in entry.__dict__.items():
        if isinstance(value, str) and encodable_text(value) != value:
            changed[name] = encodable_text(value)
        elif isinstance(value, tuple):
            texts = cast("tuple[str, ...]", value)
            changed |= {name: clean} if (clean := tuple(map(encodable_text, texts))) != texts else {}
    return entry.model_copy(update=changed) if changed else entry


def encodable_text(text: str) -> str:
    return text if text.isascii() else _LONE_SURROGATES.sub("\ufffd", text)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
