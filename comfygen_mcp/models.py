"""The nouns: GenerateRequest → Job → Graph → Ticket → Output → Generation, each named once."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NotRequired, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

Scalar: TypeAlias = str | int | float | bool
JsonValue: TypeAlias = Any
"""A value that came from or goes to JSON; it is checked where it is used."""

Kind: TypeAlias = Literal[
    "txt2img", "img2img", "inpaint", "edit", "upscale", "txt2video", "img2video", "other"
]
MediaType: TypeAlias = Literal["image", "video", "audio", "text", "other"]
JobStatus: TypeAlias = Literal["queued", "running", "completed", "failed", "cancelled"]

LoraTarget: TypeAlias = Literal["high", "low", "base", "refiner"]
"""The sampling stage that a LoRA is meant for: Wan 2.2's high or low noise, SDXL's base or refiner."""
Crop: TypeAlias = Literal["cover", "contain", "stretch", "extend"]
"""How a picture is brought to another shape: cut, fitted inside, distorted, or painted on (outpaint)."""

SEED_MAX = 2**64 - 1
"""The largest seed that ComfyUI's samplers accept."""
SEED_JSON_SAFE = 2**53
"""Seeds are drawn below this, so that no JSON reader rounds them; from here on they also travel as text."""


class GraphNode(TypedDict):
    """One node of an API-format graph; an input is a scalar or a link `[node_id, slot]`."""

    class_type: str
    inputs: dict[str, JsonValue]
    _meta: NotRequired[dict[str, JsonValue]]


Graph: TypeAlias = dict[str, GraphNode]
"""An API-format ComfyUI graph: node id → node. (ComfyUI's own key for it is `prompt`.)"""


class Record(BaseModel):
    """Base of the nouns: frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def _is_none(value: object) -> bool:
    return value is None


class LoraUse(Record):
    """One LoRA, asked for or applied; *strength_clip* None means: the same as *strength*.

    *target* names the stage of a two-stage model; None means the one that the file's name says, else all.
    What is None is not written: sidecars hold `{name, strength}` unless there is more to say.
    """

    name: str
    strength: float = 1.0
    strength_clip: float | None = Field(default=None, exclude_if=_is_none)
    target: LoraTarget | None = Field(default=None, exclude_if=_is_none)


class RequiredFile(Record):
    """A model file that a workflow needs on the ComfyUI host; *folder* is the one below `models/`."""

    file: str
    folder: str
    url: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None


class Limits(Record):
    """Which sizes a workflow can make; *ratio_multiple_of* applies where only a ratio was asked for.

    Videos have `n * frame_step + 1` frames; *max_count* is the largest batch of one job.
    """

    multiple_of: int = Field(default=8, ge=1)
    ratio_multiple_of: int | None = Field(default=None, ge=1)
    min_edge: int = Field(default=128, ge=1)
    max_edge: int = Field(default=4096, ge=1)
    max_pixels: int = Field(default=2048 * 2048, ge=1)
    frame_step: int = Field(default=4, ge=1)
    max_frames: int = Field(default=257, ge=1)
    max_count: int = Field(default=16, ge=1)


class InputFile(Record):
    """A picture that a job works on, as it is uploaded; its bytes are stored under *key*.

    *placeholder* is the one that it fills (`image`, `image2`, `mask`), *name* what a LoadImage node is told:
    a subfolder and the SHA-256 of the bytes. *origin* says in a few words where it came from.
    """

    placeholder: str
    name: str
    key: str
    sha256: str
    mime: str
    size_bytes: int
    width: int
    height: int
    origin: str


class Host(Record):
    """A ComfyUI server: its base URL without a trailing slash, and what must be sent along."""

    url: str
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    wake_hint: str | None = None


class Job(Record):
    """A request with every blank filled; below `resolve` nothing is defaulted again.

    *values* is the complete substitution map of the template, placeholder → typed value; *overrides* set
    single inputs besides, `node.input` → value. *graph* is the template itself where no file holds it.
    None in *steps*, *cfg*, *sampler* or *scheduler* means that the workflow has no such knob.
    *notes* say what was changed or left out on the way (a snapped size, a preset not applied).
    *group_id* names the comparison that the job is a cell of. *verbatim* means that *graph* is submitted as
    it is: nothing is filled, injected or overridden. *caller* is what the client calls itself, *owner* the
    name of the token that it came with (None where there is only one).
    """

    id: str
    created_at: datetime
    kind: Kind
    backend: str
    workflow: str
    model: str
    prompt: str
    negative_prompt: str = ""
    style: str | None = None
    preset: str | None = None
    seed: int = Field(ge=0, le=SEED_MAX)
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = None
    height: int | None = None
    denoise: float | None = None
    count: int = 1
    frames: int | None = None
    fps: float | None = None
    loras: tuple[LoraUse, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    values: dict[str, Scalar]
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    graph: Graph | None = None
    timeout_s: float
    metadata: bool = True
    parent_id: str | None = None
    group_id: str | None = None
    verbatim: bool = False
    caller: str | None = None
    owner: str | None = None
    notes: tuple[str, ...] = ()


class Ticket(Record):
    """A job that a backend has accepted: all that is needed to follow, collect or cancel it, as JSON.

    *host* is the address it was sent to, *remote_id* ComfyUI's prompt_id (a lowercase UUID).
    """

    job_id: str
    backend: str
    host: str
    remote_id: str
    client_id: str
    graph: Graph
    graph_sha256: str
    submitted_at: datetime


class Progress(Record):
    """One step forward of a running job; *step* of *steps* counts the sampler's steps."""

    phase: Literal["queued", "loading", "sampling", "decoding", "saving", "running"]
    message: str = ""
    node: str | None = None
    class_type: str | None = None
    step: int | None = None
    steps: int | None = None
    fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    queue_position: int | None = None
    eta_s: float | None = None


class Output(Record):
    """One file that a job produced, streamed to *path* on this machine and not yet stored.

    *temporary* marks a preview-type output of the server, kept only when there is nothing else.
    *text* holds the value of text outputs, which have no file on the server.
    """

    path: Path
    filename: str
    media: MediaType
    mime: str
    size_bytes: int
    sha256: str
    node_id: str
    index: int
    temporary: bool = False
    text: str | None = None


class HostFacts(Record):
    """What the host told about itself and the run (best effort; None where it did not)."""

    comfyui_version: str | None = None
    vram_used_mib: int | None = None
    device: str | None = None
    preview_engine: bool = False


class Timings(Record):
    """How long a job took, in whole milliseconds; *latency_ms* is submit → everything collected."""

    latency_ms: int
    queued_ms: int | None = None
    running_ms: int | None = None


class Generation(Record):
    """One stored output. Its sidecar is this record as JSON (see docs/sidecar.md).

    The first thirteen names and types are the source system's and never change.
    *minio_url* is the canonical unsigned URL of the file (`file://` in the local store).
    *job* is enough to generate it again; *graph* is exactly what was submitted.
    """

    timestamp: datetime
    prompt: str
    negative_prompt: str
    workflow: str
    seed: int
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    loras: tuple[LoraUse, ...]
    preset: str | None
    validation_score: float | None
    minio_url: str

    schema_version: int
    id: str
    job_id: str
    parent_id: str | None
    group_id: str | None
    index: int
    kind: Kind
    backend: str
    backend_type: str
    model: str
    host: str
    key: str
    media: MediaType
    mime: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None
    seed_text: str | None
    style: str | None
    timings: Timings
    prompt_id: str
    client_id: str
    comfyui_version: str | None
    vram_used_mib: int | None
    preview_engine: bool
    graph: Graph
    graph_sha256: str
    tags: tuple[str, ...]
    cost_usd: float | None
    caller: str | None
    owner: str | None
    notes: tuple[str, ...]
    job: Job
