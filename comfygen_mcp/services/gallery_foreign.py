"""A file that something else stored, as a generation: from its sidecar, or from the graph that it carries."""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from comfygen_mcp import ids, sidecar
from comfygen_mcp.backends.kept_files import sha256_of
from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.carried import Carried, graph_in_picture
from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.editor_format import from_editor
from comfygen_mcp.graph.extract import Extracted, loras_of, workflow_values
from comfygen_mcp.graph.hash import graph_sha256
from comfygen_mcp.graph.parse import parse_workflow
from comfygen_mcp.images import picture_size
from comfygen_mcp.metadata.texts import graph_in_recording
from comfygen_mcp.models import (
    SEED_MAX,
    Generation,
    Graph,
    HostFacts,
    Job,
    Kind,
    MediaType,
    Output,
    Ticket,
    Timings,
)
from comfygen_mcp.services.gallery_objects import indexable
from comfygen_mcp.services.gallery_tags import imported_tags
from comfygen_mcp.sidecar import FinishedRun
from comfygen_mcp.stores.keys import mime_of

WHENCE = "imported"
"""What an imported generation has as its backend and its workflow."""

_LARGEST_PICTURE = 256_000_000
_RUN_KEYS = ("class_type", "inputs", "_meta")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file of somebody else's, and the record that it gets."""

    path: Path
    generation: Generation


def foreign_file(path: Path, name: str) -> Foreign:
    """Read *path*, called *name* in messages; raises BadRequest, BadWorkflow or StoreFailed; blocks."""
    try:
        carried = _carried(path)
        beside = path.with_name(path.name + sidecar.SUFFIX)
        data = beside.read_bytes() if beside.is_file() else b""
        if _is_sidecar(data):
            generation = _with_graph(sidecar.from_json(data, key=name), carried)
        elif carried is None:
            raise BadRequest("It has no sidecar, and carries no graph of ComfyUI.")
        else:
            generation = _from_graph(path, name, _graph(carried))
        generation = _tagged(_placed(generation, path))
        _check(generation)
    except OSError as error:
        raise BadRequest(f"It cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadRequest(f"Its {first['loc'][0]} is out of range: {first['msg'].lower()}.") from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise BadRequest(f"What it tells of itself cannot be used: {error}.") from error
    return Foreign(path, generation)


def _check(generation: Generation) -> None:
    """Raise StoreFailed for what could be stored and not be found or read again."""
    indexable(generation)
    data = sidecar.to_json(generation)
    sidecar.from_json(data, key=generation.key)


def _tagged(generation: Generation) -> Generation:
    """Return *generation* with its tags in our form; a note says when some cannot be."""
    tags, refused = imported_tags(generation.tags)
    left_out = f"Imported without {refused} of its tags, which cannot be tags here."
    notes = (*generation.notes, left_out) if refused else generation.notes
    return generation.model_copy(update={"tags": tags, "notes": notes})


def _carried(path: Path) -> Carried | None:
    if _media(path.name) != "image":
        try:
            return graph_in_recording(path)
        except ValueError as error:
            raise BadRequest(f"The file is damaged: {error}.") from error
    if path.stat().st_size > _LARGEST_PICTURE:
        raise BadRequest(f"It has more than {_LARGEST_PICTURE // 1_000_000} MB.")
    return graph_in_picture(path.read_bytes())


def _is_sidecar(data: bytes) -> bool:
    """Tell a sidecar of ours or of the source system from the JSON of another program."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and {"timestamp", "prompt", "seed"} <= set(cast("dict[str, Any]", fields))


def _graph(carried: Carried) -> Graph:
    """Return the graph as it was queued; what only the editor had is turned into it."""
    if carried.graph:
        nodes = {
            node: cast("dict[str, Any]", fields)
            for node, fields in carried.graph.items()
            if isinstance(fields, dict)
        }
        known = {
            node: {key: value for key, value in fields.items() if key in _RUN_KEYS}
            for node, fields in nodes.items()
        }
        return parse_workflow(json.dumps(known), file="The graph inside").graph
    return from_editor(carried.editor, shipped_catalogue())


def _with_graph(generation: Generation, carried: Carried | None) -> Generation:
    """Add to a sidecar that knows no graph the one that the file carries."""
    if generation.graph or carried is None:
        return generation
    try:
        graph = _graph(carried)
    except BadWorkflow:
        return generation
    found = workflow_values(graph, shipped_catalogue())
    return generation.model_copy(
        update={
            "graph": graph,
            "graph_sha256": graph_sha256(graph),
            "kind": _kind(graph, generation.media),
            "model": found.model or generation.model,
        }
    )


def _from_graph(path: Path, name: str, graph: Graph) -> Generation:
    """Return the record of a file that nothing but its graph tells about; its time is the file's own."""
    moment = _moment(path)
    digest = sha256_of(path)
    media = _media(name)
    job = _job(graph, media, job_id=_stable_id(moment, digest), moment=moment)
    ticket = Ticket(
        job_id=job.id,
        backend=WHENCE,
        host="unknown",
        remote_id="",
        client_id="",
        graph=graph,
        graph_sha256=graph_sha256(graph),
        submitted_at=moment,
    )
    output = Output(
        path=path,
        filename=path.name,
        media=media,
        mime=mime_of(name),
        size_bytes=path.stat().st_size,
        sha256=digest,
        node_id="",
        index=0,
    )
    run = FinishedRun(job, ticket, HostFacts(), Timings(latency_ms=0), "unknown")
    return sidecar.generation_of(run, output, url="")


def _moment(path: Path) -> datetime:
    """Return when the file was written, to a millisecond; raises BadRequest where an id cannot say it."""
    seconds = path.stat().st_mtime
    try:
        if seconds >= 0:
            return datetime.fromtimestamp(int(seconds * 1000) / 1000, tz=UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(
        "Its modification time is before 1970 or after 9999. Give the file another one, for example with "
        "`touch`, and import it again."
    )


def _job(graph: Graph, media: MediaType, *, job_id: str, moment: datetime) -> Job:
    found = workflow_values(graph, shipped_catalogue())
    same = {
        name: getattr(found, name) for name in ("steps", "cfg", "sampler", "scheduler", "width", "height")
    }
    return Job(
        **same,
        id=job_id,
        created_at=moment,
        kind=_kind(graph, media),
        backend=WHENCE,
        workflow=WHENCE,
        model=found.model or "unknown",
        prompt=found.prompt or "",
        negative_prompt=found.negative or "",
        seed=_seed(found),
        denoise=found.denoise,
        frames=found.frames,
        loras=tuple(loras_of(graph, shipped_catalogue())),
        values={},
        timeout_s=0.0,  # Unknown: when it is made again, the settings decide.
        notes=("Imported: what is known of it was read out of the graph that the file carries.",),
    )


def _seed(found: Extracted) -> int:
    return found.seed if found.seed is not None and 0 <= found.seed <= SEED_MAX else 0


def _kind(graph: Graph, media: MediaType) -> Kind:
    from_picture = any(node["class_type"].startswith("LoadImage") for node in graph.values())
    if media == "video":
        return "img2video" if from_picture else "txt2video"
    if media == "image":
        return "img2img" if from_picture else "txt2img"
    return "other"


def _stable_id(moment: datetime, digest: str) -> str:
    """Return a job id that is the same whenever the same file is imported."""
    bits = hashlib.sha256(f"comfygen import\0{digest}".encode()).digest()[:10]
    seed = uuid.UUID(int=(int(moment.timestamp() * 1000) << 80) | int.from_bytes(bits, "big"))
    return ids.generation_id(str(seed), 1)


def _placed(generation: Generation, path: Path) -> Generation:
    """Return *generation* at its place in the gallery, with what the file itself tells."""
    size = picture_size(path) if generation.media == "image" else None
    width, height = size or (generation.width, generation.height)
    extension = path.suffix.removeprefix(".")
    key = sidecar.key_of(generation.id, generation.index, extension)
    return generation.model_copy(update={"key": key, "width": width, "height": height})


def _media(name: str) -> MediaType:
    kind = mime_of(name).partition("/")[0]
    return kind if kind in ("image", "video", "audio") else "other"
