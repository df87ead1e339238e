"""The sidecar: a Generation as JSON beside its file; and the keys of both."""

import json
import math
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath, PurePosixPath
from typing import Any, NoReturn, cast

from pydantic import ValidationError

from comfygen_mcp import ids
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.models import SEED_JSON_SAFE, Generation, HostFacts, Job, JsonValue, Output, Ticket, Timings
from comfygen_mcp.sidecar_migrations import SCHEMA_VERSION, migrated

MIME = "application/json"
SUFFIX = ".json"
"""The sidecar's key is the file's key and this."""

_SAME_IN_JOB = (
    *("prompt", "negative_prompt", "seed", "steps", "cfg", "sampler", "scheduler", "loras", "preset"),
    *("parent_id", "group_id", "kind", "backend", "model", "style", "caller", "owner", "notes"),
)
_SAME_IN_OUTPUT = ("index", "media", "mime", "size_bytes", "sha256")
_SAME_IN_FACTS = ("comfyui_version", "vram_used_mib", "preview_engine")
_WITH_FLOATS: dict[str, Any] = {
    **dict.fromkeys(("cfg", "validation_score", "cost_usd", "loras"), True),
    "job": {"cfg", "denoise", "fps", "timeout_s", "loras", "values"},
}
_LAST_INDEX = 9_999
"""A job has a few outputs, a folder of frames some thousands."""
_KEY = re.compile(r"g/\d{4}/\d\d/\d\d/\d{8}_\d{6}_([0-9a-f-]{36})_\d+\.[a-z0-9.]+")
_BEGINNING = re.compile(r"[0-9a-fA-F]{8,31}")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


@dataclass(frozen=True)
class FinishedRun:
    """What all outputs of one job have in common once it has been collected."""

    job: Job
    ticket: Ticket
    facts: HostFacts
    timings: Timings
    backend_type: str


def key_of(generation_id: str, index: int, extension: str) -> str:
    """Return `g/YYYY/MM/DD/YYYYMMDD_HHMMSS_<id>_<n>.<ext>`; the time (UTC) is the one inside the id."""
    return f"{prefix_of(generation_id)}{index}.{_safe(extension)}"


def prefix_of(generation_id: str) -> str:
    """Return what the keys of a generation begin with; raises BadRequest when the id is not one of ours."""
    try:
        identifier = str(uuid.UUID(generation_id))
        moment = ids.id_time(identifier)
    except ValueError as error:
        raise BadRequest(
            f"{generation_id[:80]!r} is not a generation id. It is a UUID such as "
            "01a2b3c4-5d6e-7f80-9a1b-2c3d4e5f6071, from the result of generate_image."
        ) from error
    return f"g/{moment:%Y/%m/%d/%Y%m%d_%H%M%S}_{identifier}_"


def span_of(beginning: str) -> tuple[str, str] | None:
    """Return texts before and after all keys whose id begins with *beginning*.

    None when it is a whole id already, or not the beginning of one.
    """
    digits = beginning.replace("-", "")
    if not _BEGINNING.fullmatch(digits):
        return None
    moments = (int(digits[:12].ljust(12, fill), 16) / 1000 for fill in "0f")
    try:
        first, last = (datetime.fromtimestamp(moment, tz=UTC) for moment in moments)
    except (ValueError, OverflowError):
        return None
    return f"g/{first:%Y/%m/%d/%Y%m%d_%H%M%S}", f"g/{last:%Y/%m/%d/%Y%m%d_%H%M%S}_g"


def is_sidecar(key: str) -> bool:
    """Tell a sidecar `…_0.png.json` from an output that is JSON itself, `…_0.json`."""
    return key.endswith(SUFFIX) and key.rpartition("/")[2].count(".") == 2


def id_in(key: str) -> str:
    """Return the generation id inside a key of ours, or "" when it holds none."""
    found = _KEY.fullmatch(key)
    return found[1] if found else ""


def generation_of(
    run: FinishedRun, output: Output, *, url: str, size: tuple[int, int] | None = None
) -> Generation:
    """Return the record of one output that is, or is about to be, stored under its key at *url*."""
    job, ticket = run.job, run.ticket
    width, height = size or (None, None)
    same: dict[str, JsonValue] = {
        **{name: getattr(job, name) for name in _SAME_IN_JOB},
        **{name: getattr(output, name) for name in _SAME_IN_OUTPUT},
        **{name: getattr(run.facts, name) for name in _SAME_IN_FACTS},
    }
    return Generation(
        **same,
        timestamp=job.created_at.astimezone(UTC),
        workflow=_workflow_file(job.workflow),
        validation_score=None,
        minio_url=url,
        schema_version=SCHEMA_VERSION,
        id=ids.generation_id(job.id, output.index),
        job_id=job.id,
        backend_type=run.backend_type,
        host=ticket.host,
        key=output_key(job, output),
        width=width,
        height=height,
        seed_text=str(job.seed) if job.seed >= SEED_JSON_SAFE else None,
        timings=run.timings,
        prompt_id=ticket.remote_id,
        client_id=ticket.client_id,
        graph=ticket.graph,
        graph_sha256=ticket.graph_sha256,
        tags=(),
        cost_usd=None,
        job=job,
    )


def output_key(job: Job, output: Output) -> str:
    """Return the key under which *output* is stored: the same one every time."""
    extension = PurePath(output.filename).suffix.removeprefix(".")
    return key_of(ids.generation_id(job.id, output.index), output.index, extension)


def to_json(generation: Generation) -> bytes:
    """Return the sidecar as UTF-8 JSON with exact integers; raises StoreFailed for NaN or infinity."""
    try:
        # Not pydantic's JSON mode, which would write null in place of NaN.
        text = json.dumps(
            generation.model_dump(), indent=2, ensure_ascii=False, allow_nan=False, default=datetime.isoformat
        )
    except ValueError as error:
        raise StoreFailed(
            f"The sidecar of {generation.key} was not written: a number of its graph is not finite."
        ) from error
    # A lone surrogate has no UTF-8 form; its backslash escape is the one that JSON uses.
    return (text + "\n").encode("utf-8", errors="backslashreplace")


def from_json(data: bytes, *, key: str = "") -> Generation:
    """Read a sidecar of any version; *key* is its file's key.

    Raises StoreFailed, naming the key, when it is corrupt or was written by a newer version.
    """
    try:
        fields = json.loads(data, parse_constant=_refuse_constant, parse_float=_finite)
        return _plausible(Generation.model_validate(migrated(_object(fields), key=key)))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise StoreFailed(
            f"The sidecar {key}{SUFFIX} cannot be used: {_reason(error)}. "
            "The file beside it is untouched; restore the sidecar from a backup, or delete both."
        ) from error


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of today's sidecar (docs/sidecar.schema.json)."""
    schema = Generation.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"comfygen-mcp sidecar, version {SCHEMA_VERSION}",
    }


def _safe(extension: str) -> str:
    lower = extension.casefold()
    return lower if _EXTENSION.fullmatch(lower) else "bin"


def _workflow_file(reference: str) -> str:
    name = PurePosixPath(reference.replace("\\", "/")).name
    return name if name.endswith(".json") else f"{name}.json"


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError("it is not a JSON object")
    return cast("dict[str, JsonValue]", value)


def _plausible(generation: Generation) -> Generation:
    """Return *generation*; raises ValueError for an index that is none, and for "NaN" written as a text."""
    if not 0 <= generation.index <= _LAST_INDEX:
        raise ValueError(f"its index is not between 0 and {_LAST_INDEX}")
    try:
        json.dumps(generation.model_dump(include=_WITH_FLOATS), allow_nan=False)
    except ValueError as error:
        raise ValueError("one of its numbers is not finite") from error
    return generation


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds {text[:40]}, which is too large a number")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number")


def _reason(error: Exception) -> str:
    match error:
        case ValidationError():
            first = error.errors(include_url=False, include_input=False)[0]
            return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].lower()}"
        case json.JSONDecodeError():
            return f"it is not JSON ({error.msg}, line {error.lineno})"
        case UnicodeDecodeError():
            return "it is not UTF-8 text"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return str(error)
