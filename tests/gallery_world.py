"""A gallery for tests: generations made at chosen moments, put into a store as the archive would."""

import hashlib
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from comfygen_mcp import edits, ids, sidecar
from comfygen_mcp.backends.archive import generation_from
from comfygen_mcp.config import load_settings
from comfygen_mcp.edits import Edit
from comfygen_mcp.index.base import Query
from comfygen_mcp.index.sqlite import SqliteIndex
from comfygen_mcp.models import HostFacts, Job, Output, Ticket, Timings
from comfygen_mcp.services.gallery import Gallery
from comfygen_mcp.sidecar import FinishedRun

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def job_id(moment, number=0):
    """Return a UUIDv7 of *moment* that is the same every time."""
    return str(uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number))


def generation(moment=NOW - HOUR, number=0, *, data=b"a picture", **changes):
    """Return the record of a generation that was made at *moment*."""
    job = Job(
        id=job_id(moment, number),
        created_at=moment,
        kind="txt2img",
        backend="fox",
        workflow="flux1-schnell",
        model="fox.safetensors",
        prompt=f"fox number {number}",
        seed=number,
        values={},
        timeout_s=300,
    ).model_copy(update=changes)
    ticket = Ticket(
        job_id=job.id,
        backend="fox",
        host="http://fox:8188",
        remote_id=job.id,
        client_id="c",
        graph={"1": {"class_type": "SaveImage", "inputs": {}}},
        graph_sha256="0" * 64,
        submitted_at=moment,
    )
    output = Output(
        path=Path("nowhere.png"),
        filename="nowhere.png",
        media="image",
        mime="image/png",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        node_id="9",
        index=0,
    )
    run = FinishedRun(job, ticket, HostFacts(), Timings(latency_ms=3), "comfyui")
    return sidecar.generation_of(run, output, url="memory:x", size=(8, 8))


def many(count, *, since=NOW - HOUR, step=timedelta(seconds=1), **changes):
    return [generation(since + step * number, number, **changes) for number in range(count)]


async def put(store, *generations, data=b"a picture"):
    """Store files and sidecars, in this order."""
    for each in generations:
        await store.put_bytes(each.key, data, mime=each.mime)
        await store.put_bytes(each.key + sidecar.SUFFIX, sidecar.to_json(each), mime=sidecar.MIME)


def put_on_disk(folder, *generations, data=b"a picture"):
    """Put files and sidecars where a local store of *folder* has them: many at once, without its fsyncs."""
    for each in generations:
        path = folder / each.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_name(path.name + sidecar.SUFFIX).write_bytes(sidecar.to_json(each))


async def put_edit(store, generation_id, moment, **changes):
    """Store an edit that somebody else made at *moment*."""
    edit = Edit(id=ids.new_job_id(moment), generation_id=generation_id, **changes)
    await store.put_bytes(edits.key_of(edit.id), edits.to_json(edit), mime=edits.MIME)
    return edit


async def keys(store, prefix=""):
    return [file.key async for file in store.list(prefix)]


async def found(gallery, **query):
    """Return the prompts of all matches, newest first."""
    return [entry.prompt async for entry in gallery.matches(Query(**query))]


async def stored(store, key):
    return generation_from(await store.read(key + sidecar.SUFFIX), key + sidecar.SUFFIX)


@asynccontextmanager
async def opened(store, folder, *, now=NOW, index=None, **environ):
    """Yield a Gallery whose index lies in *folder*; *now* may be a function."""
    index = index or SqliteIndex(folder, store.name)
    settings = load_settings(
        environ={
            "COMFYGEN_INDEX": str(folder),
            "COMFYGEN_STORE": str(folder / "gallery"),
            "COMFYGEN_INCOMING": str(folder / "incoming"),
            **environ,
        },
        cwd=folder.parent,
    ).settings
    gallery = Gallery(store, index, settings=settings, now=now if callable(now) else lambda: now)
    try:
        yield gallery
    finally:
        await gallery.aclose()
        await index.aclose()
