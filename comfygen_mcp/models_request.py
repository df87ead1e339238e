"""GenerateRequest: what a caller asked for, before anything is decided."""

from pydantic import Field

from comfygen_mcp.models import Crop, Graph, JsonValue, Kind, LoraUse, Record


class GenerateRequest(Record):
    """What a caller asked for; None means: your choice.

    *kind* None means: told by *images* and *mask*, or by *workflow*.
    *model* names a configured backend, a bundled workflow or an alias of one.
    *size* is `"WxH"`, a ratio such as `"16:9"` or a name such as `"portrait"`.
    *seed* may be a decimal string, because JSON numbers above 2**53 are rounded by many clients.
    *images* and *mask* are references: a path, a URL, a data URI or the id of a stored generation.
    *uploads* are further ones, sent as they are: placeholder or `node.input` → reference.
    *resize* is a size that the input pictures are brought to, in the way that *crop* says.
    *values* fill placeholders of the workflow, or single inputs as `node.input`; *graph* is a whole graph
    in place of a workflow's. *group_id* makes the job a cell of a comparison; *owner* is who may see it.
    """

    prompt: str = ""
    negative: str | None = None
    kind: Kind | None = None
    model: str | None = None
    workflow: str | None = None
    graph: Graph | None = None
    values: dict[str, JsonValue] = Field(default_factory=dict)
    images: tuple[str, ...] = ()
    mask: str | None = None
    uploads: dict[str, str] = Field(default_factory=dict)
    resize: str | None = None
    crop: Crop | None = None
    denoise: float | None = None
    scale: float | None = None
    upscale_model: str | None = None
    size: str | None = None
    width: int | None = None
    height: int | None = None
    count: int | None = None
    frames: int | None = None
    seconds: float | None = None
    fps: float | None = None
    seed: int | str | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    loras: tuple[LoraUse, ...] = ()
    lora_preset: str | None = None
    preset: str | None = None
    force_preset: bool = False
    style: str | None = None
    metadata: bool = True
    parent_id: str | None = None
    group_id: str | None = None
    caller: str | None = None
    owner: str | None = None
