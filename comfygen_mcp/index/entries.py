"""From a generation to its entry in the index."""

from comfygen_mcp.index.base import Entry
from comfygen_mcp.models import Generation


def entry_of(generation: Generation) -> Entry:
    """Return what the index holds of *generation*, as its sidecar says."""
    alike = (
        *("id", "key", "prompt", "negative_prompt", "kind", "media", "mime", "model", "backend", "workflow"),
        *("preset", "style", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height"),
        *("size_bytes", "sha256", "job_id", "group_id", "parent_id", "owner", "preview_engine", "tags"),
    )
    return Entry(
        **{name: getattr(generation, name) for name in alike},
        created_at=generation.timestamp,
        loras=tuple(lora.name for lora in generation.loras),
        latency_ms=generation.timings.latency_ms,
        score=generation.validation_score,
    )
