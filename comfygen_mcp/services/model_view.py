"""One model as lists show it: what it is, its best settings, and whether it can run now."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from pydantic import Field

from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.graph.knobs import wrong_knob
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.metadata import Architecture, WorkflowMetadata, prose
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Kind, Limits, Record, RequiredFile
from comfygen_mcp.services.catalogue import Readiness, State
from comfygen_mcp.services.offers import Offer, Offers, model_file

_VIDEOS: tuple[Kind, ...] = ("txt2video", "img2video")


class ModelView(Record):
    """One choosable model; what is empty, or as most are, is left out where it is told compactly.

    *workflow* is "" where it has the model's name. *also_does* are the kinds of its family's other workflows,
    *good_at* what recommendations match. *why* is there in a recommendation, and all from *description* on
    only where one model is looked at.
    """

    name: str
    state: State
    kind: Kind | None = None
    also_does: tuple[Kind, ...] = ()
    family: str = ""
    good_for: str = ""
    why: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    model_file: str = ""
    workflow: str = ""
    host: str = ""
    configured: bool = False
    preview_engine: bool = False
    width: int | None = None
    height: int | None = None
    sizes: str = ""
    frames: int | None = None
    fps: float | None = None
    lengths: str = ""
    steps: int | None = None
    cfg: float | None = None
    sampler: str = ""
    scheduler: str = ""
    denoise: float | None = None
    distilled: bool = False
    architecture: Architecture | None = None
    vram_gb: str = ""
    license: str = ""
    missing: tuple[RequiredFile, ...] = ()
    reason: str = ""
    good_at: tuple[str, ...] = Field(default=(), exclude=True)

    description: str = ""
    wants: str = ""
    makes: str = ""
    takes: str = ""
    prompt_tips: tuple[str, ...] = ()
    samplers: tuple[str, ...] = ()
    schedulers: tuple[str, ...] = ()


def model_view(offers: Offers, offer: Offer, readiness: Readiness) -> ModelView:
    """Return what a list tells of *offer*; of one whose workflow cannot be used, little more than why."""
    view = ModelView(
        name=offer.name,
        aliases=offer.aliases,
        state=readiness.state,
        workflow="" if (file := PurePath(offer.workflow).name) == f"{offer.name}.json" else file,
        host=readiness.host,
        configured=offer.configured,
        preview_engine=readiness.preview_engine,
        missing=readiness.missing,
        # The list of files says it all.
        reason="" if readiness.missing else readiness.reason,
    )
    try:
        workflow = offers.workflow(offer)
        kinds = offers.kinds(offer)
    except ComfygenError:
        return view
    return view.model_copy(
        update={**_told(offer, workflow), **_settings(offer, workflow), "also_does": kinds[1:]}
    )


def in_detail(view: ModelView, metadata: WorkflowMetadata) -> ModelView:
    """Return *view* with all that *metadata* has to say."""
    return view.model_copy(
        update={
            "description": metadata.description,
            "wants": prose(metadata.input_requirements),
            "makes": prose(metadata.output_resolution),
            "takes": prose(metadata.estimated_time),
            "prompt_tips": metadata.prompt_tips,
            "license": metadata.license,
        }
    )


def _told(offer: Offer, workflow: Workflow) -> dict[str, object]:
    metadata = workflow.metadata
    return {
        "kind": metadata.kind,
        "family": "" if workflow.family == offer.name else workflow.family,
        "good_for": prose(metadata.use_case) or metadata.description,
        "good_at": metadata.good_at,
        "model_file": model_file(offer, workflow),
        "sizes": _sizes(metadata.kind, metadata.limits),
        "lengths": _lengths(metadata.limits) if metadata.kind in _VIDEOS else "",
        "distilled": metadata.distilled,
        "architecture": metadata.architecture,
        "vram_gb": metadata.vram_gb,
        # What the licence says in detail is told of one model only.
        "license": re.split(r"[:;(]", metadata.license)[0].strip(),
    }


def _settings(offer: Offer, workflow: Workflow) -> dict[str, object]:
    """Return the values that requests without any get, for those knobs that the workflow has."""
    known = {**workflow.metadata.defaults, **offer.block.template_values()}
    values = {name: value for name, value in known.items() if name in placeholders(workflow.graph)}
    whole = {name: _whole(values, name) for name in ("width", "height", "frames", "steps")}
    real = {name: _real(values, name) for name in ("cfg", "fps", "denoise")}
    return {**whole, **real, **{name: str(values.get(name, "")) for name in ("sampler", "scheduler")}}


def _sizes(kind: Kind, limits: Limits) -> str:
    if kind == "upscale":
        return ""
    words = f"multiples of {limits.multiple_of}, {limits.min_edge} to {limits.max_edge}"
    if limits.max_pixels >= limits.max_edge**2:
        return words
    return f"{words}, up to {limits.max_pixels / 1e6:.1f} MP"


def _lengths(limits: Limits) -> str:
    most = (limits.max_frames - 1) // limits.frame_step * limits.frame_step + 1
    return f"{limits.frame_step}n+1 frames, up to {most}"


def _whole(values: Mapping[str, object], name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) and wrong_knob(name, value) is None else None


def _real(values: Mapping[str, object], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) and wrong_knob(name, value) is None else None
