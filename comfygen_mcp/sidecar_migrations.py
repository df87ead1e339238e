"""Brings sidecars of older forms up to the current one, a step per version."""

import hashlib
import mimetypes
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TypeAlias, cast

from comfygen_mcp import ids
from comfygen_mcp.models import SEED_JSON_SAFE, SEED_MAX, JsonValue

SCHEMA_VERSION = 3
"""The form that is written today."""

Fields: TypeAlias = dict[str, JsonValue]

_KEPT = ("steps", "cfg", "sampler", "scheduler", "preset", "validation_score")
_UNKNOWN: Fields = {
    "parent_id": None,
    "index": 0,
    "backend_type": "unknown",
    "host": "unknown",
    "size_bytes": 0,
    "sha256": "",
    "width": None,
    "height": None,
    "style": None,
    "timings": {"latency_ms": 0},
    "prompt_id": "",
    "client_id": "",
    "comfyui_version": None,
    "vram_used_mib": None,
    "preview_engine": False,
    "graph": {},
    "graph_sha256": "",
    "tags": [],
    "cost_usd": None,
    "caller": None,
    "notes": ["Read from a sidecar of another system: only its thirteen fields are known."],
}


def migrated(fields: Mapping[str, JsonValue], *, key: str) -> Fields:
    """Return *fields* in today's form; *key* is the file's, and tells what an old sidecar does not.

    Raises ValueError or TypeError when the version is none at all, or newer than this program.
    """
    version = fields.get("schema_version", 0)
    if not isinstance(version, int) or version < 0:
        raise ValueError(f"its schema_version is {version!r}")
    if version > SCHEMA_VERSION:
        raise ValueError(f"its schema_version {version} is newer than {SCHEMA_VERSION}; update comfygen-mcp")
    current = dict(fields)
    for step in _STEPS[version:]:
        current = step(current, key)
    return current


def _from_source_system(fields: Fields, key: str) -> Fields:
    """Version 0: the thirteen fields of the source system, and nothing else to rely on."""
    moment = _moment(fields.get("timestamp"))
    url = str(fields.get("minio_url") or "")
    key = key or PurePosixPath(url).name
    seed = int(fields.get("seed") or 0)
    identity = {
        "kind": "other",
        "backend": "unknown",
        "model": "unknown",
        "workflow": str(fields.get("workflow") or "unknown"),
        "prompt": str(fields.get("prompt") or ""),
        "negative_prompt": str(fields.get("negative_prompt") or ""),
        "loras": [_lora(lora) for lora in cast("list[JsonValue]", fields.get("loras") or [])],
    }
    generation_id, job_id = _stable_ids(moment, url or key)
    kept = {name: fields.get(name) for name in _KEPT}
    return {
        **_UNKNOWN,
        **identity,
        **kept,
        **_file(key),
        "timestamp": moment.isoformat(),
        "seed": seed,
        "seed_text": str(seed) if seed >= SEED_JSON_SAFE else None,
        "minio_url": url,
        "schema_version": 1,
        "id": generation_id,
        "job_id": job_id,
        "job": _job(identity, kept, seed, job_id=job_id, moment=moment),
    }


def _job(identity: Fields, kept: Fields, seed: int, *, job_id: str, moment: datetime) -> Fields:
    """Return the nearest thing to the job; it cannot be run again, having no graph and no values."""
    return {
        **identity,
        **{name: value for name, value in kept.items() if name != "validation_score"},
        "id": job_id,
        "created_at": moment.isoformat(),
        "seed": seed if 0 <= seed <= SEED_MAX else 0,
        "values": {},
        "timeout_s": 0.0,
    }


def _moment(timestamp: JsonValue) -> datetime:
    """Read an ISO 8601 timestamp; one without an offset is taken as UTC."""
    if not isinstance(timestamp, str):
        raise TypeError("it has no timestamp")
    moment = datetime.fromisoformat(timestamp)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lora(lora: JsonValue) -> Fields:
    """Read `{name, strength}`, or the name alone."""
    if isinstance(lora, dict):
        fields = cast("Fields", lora)
        return {"name": str(fields.get("name") or ""), "strength": fields.get("strength", 1.0)}
    return {"name": str(lora)}


def _file(key: str) -> Fields:
    mime = mimetypes.guess_type(key, strict=False)[0] or "application/octet-stream"
    kind = mime.partition("/")[0]
    return {
        "key": key,
        "mime": mime,
        "media": kind if kind in ("image", "video", "audio", "text") else "other",
    }


def _stable_ids(moment: datetime, identity: str) -> tuple[str, str]:
    """Return ids of a generation and its job that are the same at every reading."""
    digest = hashlib.sha256(identity.encode("utf-8", errors="replace")).digest()
    seed = uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | int.from_bytes(digest[:10], "big"))
    return ids.generation_id(str(seed), 0), ids.generation_id(str(seed), 1)


def _with_inputs(fields: Fields, _: str) -> Fields:
    """Version 1 knew no input pictures, counts, frames or strengths of their own: all have defaults."""
    return {**fields, "schema_version": 2}


def _with_group_and_owner(fields: Fields, _: str) -> Fields:
    """Version 2 knew neither comparisons nor callers apart: whoever had the token saw everything."""
    return {**fields, "group_id": None, "owner": None, "schema_version": 3}


_STEPS: tuple[Callable[[Fields, str], Fields], ...] = (
    _from_source_system,
    _with_inputs,
    _with_group_and_owner,
)
"""Step *n* brings a sidecar of version *n* to version *n* + 1."""
