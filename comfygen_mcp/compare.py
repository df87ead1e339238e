"""Comparisons: one prompt in several cells - what is asked for, what is planned, what became of it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from pydantic import Field, ValidationError

from comfygen_mcp import ids
from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.models import SEED_JSON_SAFE, SEED_MAX, Generation, JsonValue, LoraUse, Record

Axis: TypeAlias = Literal["models", "presets", "loras", "strengths", "seeds", "steps", "cfg"]
AXES: tuple[Axis, ...] = get_args(Axis)
"""In this order: of two that vary, the first one names the rows and the second one the columns."""
MAX_CELLS = 64
ROOT = "c/"
"""What the keys of all comparisons begin with."""
MIME = "application/json"
NONE = "none"
"""Stands for a cell without a preset or a LoRA."""

AttemptStatus: TypeAlias = Literal["running", "done", "failed", "cancelled"]
CellStatus: TypeAlias = Literal["pending", "running", "done", "failed", "cancelled"]
ComparisonStatus: TypeAlias = Literal["running", "completed", "failed", "cancelled"]
"""`completed`: every cell was tried and one at least was made; `failed`: none was."""


class Axes(Record):
    """The values of each axis; a single one is the same for all cells, none means: each model's own.

    A preset of None is none, as are no LoRAs; a *seed* of 0 or -1 is drawn.
    *strengths* replace that of the cell's LoRAs.
    """

    models: tuple[str, ...] = ()
    presets: tuple[str | None, ...] = ()
    loras: tuple[tuple[LoraUse, ...], ...] = ()
    strengths: tuple[float, ...] = ()
    seeds: tuple[int | str, ...] = ()
    steps: tuple[int, ...] = ()
    cfg: tuple[float, ...] = ()


class CompareRequest(Record):
    """What a caller asked for; *size* is forced on every cell when given, like every axis with one value."""

    prompt: str
    negative: str | None = None
    style: str | None = None
    size: str | None = None
    axes: Axes = Axes()
    contact_sheet: bool = True
    caller: str | None = None
    owner: str | None = None


class Cell(Record):
    """One cell: what is forced on its model. *labels* has its value on each axis that varies.

    *name* is what its file is called in an output folder, without the extension.
    """

    backend: str
    preset: str | None = None
    loras: tuple[LoraUse, ...] = ()
    seed: int = Field(ge=0, le=SEED_MAX)
    steps: int | None = None
    cfg: float | None = None
    labels: tuple[str, ...] = ()
    name: str


class Attempt(Record):
    """One try at one cell (*cell* counts from 0), a success or a failure.

    *model* is the model file, *metadata* the recipe that was really used. *key* is the picture's place in
    the store; *file* its name in the output folder.
    """

    cell: int
    backend: str
    status: AttemptStatus
    seed: int
    seed_text: str | None = None
    latency_ms: int | None = None
    model: str | None = None
    vram_used_mib: int | None = None
    metadata: dict[str, JsonValue] | None = None
    error: str | None = None
    error_type: str | None = None
    job_id: str | None = None
    generation_id: str | None = None
    key: str | None = None
    file: str | None = None
    started_at: datetime
    finished_at: datetime | None = None


class StoredSheet(Record):
    """The contact sheet in the store."""

    key: str
    width: int
    height: int


class Comparison(Record):
    """A comparison and all that became of it: compare.json is this record as JSON.

    *axes* are the ones that vary, none to two; with two, the cells go row by row. A cell's state is that of
    its last attempt.
    """

    schema_version: Literal[1] = 1
    id: str
    created_at: datetime
    finished_at: datetime | None = None
    status: ComparisonStatus = "running"
    request: CompareRequest
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]
    attempts: tuple[Attempt, ...] = ()
    sheet: StoredSheet | None = None
    notes: tuple[str, ...] = ()

    def last_attempts(self) -> dict[int, Attempt]:
        """Return the newest attempt at each cell that was tried."""
        return {attempt.cell: attempt for attempt in self.attempts}

    def cell_status(self, cell: int) -> CellStatus:
        attempt = self.last_attempts().get(cell)
        return "pending" if attempt is None else attempt.status

    def with_attempt(self, attempt: Attempt) -> "Comparison":
        """Return the comparison with *attempt* at the end, in place of the same one still running."""
        others = [a for a in self.attempts if (a.cell, a.status) != (attempt.cell, "running")]
        return self.model_copy(update={"attempts": (*others, attempt)})


def seed_text(seed: int) -> str | None:
    """Return a seed as text where JSON readers round the number."""
    return str(seed) if seed >= SEED_JSON_SAFE else None


def finished_attempt(attempt: Attempt, made: Sequence[Generation], file_stem: str, now: datetime) -> Attempt:
    """Return *attempt* with the first of what was *made*; of a video, the file is the still beside it."""
    generation = next((output for output in made if output.media == "video"), made[0])
    picture = next((output for output in made if output.media == "image"), generation)
    alike = ("kind", "workflow", "prompt", "negative_prompt", "style", "preset", "steps", "cfg", "sampler")
    more = ("scheduler", "width", "height", "comfyui_version", "preview_engine", "host", "tags", "notes")
    fields = generation.model_dump(mode="json", include={*alike, *more, "loras", "sha256", "mime"})
    return attempt.model_copy(
        update={
            "status": "done",
            "seed": generation.seed,
            "seed_text": seed_text(generation.seed),
            "latency_ms": generation.timings.latency_ms,
            "model": generation.model,
            "vram_used_mib": generation.vram_used_mib,
            "metadata": fields,
            "job_id": generation.job_id,
            "generation_id": generation.id,
            "key": picture.key,
            "file": f"{file_stem}.{picture.key.rpartition('.')[2]}",
            "finished_at": now,
        }
    )


def folder_of(comparison_id: str) -> str:
    """Return `c/YYYY/MM/DD/<id>/`; raises ValueError when the id is no UUIDv7."""
    return f"{ROOT}{ids.id_time(comparison_id):%Y/%m/%d}/{comparison_id}/"


def to_json(comparison: Comparison) -> bytes:
    """Return compare.json."""
    text = json.dumps(comparison.model_dump(), indent=2, ensure_ascii=False, default=datetime.isoformat)
    # A lone surrogate of a prompt has no UTF-8 form; its backslash escape is the one that JSON uses.
    return (text + "\n").encode("utf-8", errors="backslashreplace")


def from_json(data: bytes, *, key: str) -> Comparison:
    """Read compare.json; raises StoreFailed, naming its key, when it is none."""
    try:
        return Comparison.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        raise StoreFailed(
            f"{key} cannot be read as a comparison. Its pictures are in the gallery all the same."
        ) from error
