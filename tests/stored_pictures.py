"""A gallery with something in it, for tests that refer to what is stored."""

import hashlib
from datetime import UTC, datetime

from comfygen_mcp.backends.base import Collected
from comfygen_mcp.models import HostFacts, Job, Output, Ticket

JOB_ID = "01a20000-2b3b-7000-8000-000000000001"
NOW = datetime(2026, 11, 21, 8, 41, 0, tzinfo=UTC)


async def keep(archive, *paths, media="image", mime="image/png", **changes):
    """Store files as the outputs of one job; *media* and *mime* may be one per file, *changes* the job's."""
    media = [media] * len(paths) if isinstance(media, str) else media
    mime = [mime] * len(paths) if isinstance(mime, str) else mime
    outputs = [
        Output(
            path=path,
            filename=path.name,
            media=kind,
            mime=form,
            size_bytes=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            node_id="9",
            index=index,
        )
        for index, (path, kind, form) in enumerate(zip(paths, media, mime, strict=True))
    ]
    collected = Collected(outputs=tuple(outputs), facts=HostFacts())
    job = _JOB.model_copy(update=changes)
    return await archive.keep(job, _TICKET, collected, latency_ms=3, backend_type="comfyui")


_JOB = Job(
    id=JOB_ID,
    created_at=NOW,
    kind="txt2img",
    backend="fox",
    workflow="flux1-schnell",
    model="fox.safetensors",
    prompt="a red fox",
    seed=7,
    values={},
    timeout_s=300,
)
_TICKET = Ticket(
    job_id=JOB_ID,
    backend="fox",
    host="http://fox:8188",
    remote_id="r",
    client_id="c",
    graph={},
    graph_sha256="0" * 64,
    submitted_at=NOW,
)
