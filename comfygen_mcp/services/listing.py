"""The listing of models: what each is, its best settings, and whether it can run now."""

from pathlib import PurePath

from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.graph.knobs import wrong_knob
from comfygen_mcp.models import Record, RequiredFile
from comfygen_mcp.services.catalogue import Catalogue, Readiness
from comfygen_mcp.services.offers import Offer, Offers, model_file


class ModelView(Record):
    """One choosable model and whether it can run now."""

    name: str
    aliases: tuple[str, ...]
    state: str
    kind: str | None
    description: str
    model_file: str
    workflow: str
    host: str
    configured: bool
    preview_engine: bool
    width: int | None
    height: int | None
    steps: int | None
    cfg: float | None
    distilled: bool
    vram_gb: str | None
    license: str | None
    missing: tuple[RequiredFile, ...]
    reason: str


async def model_views(offers: Offers, catalogue: Catalogue) -> list[ModelView]:
    """Return every model with its readiness, configured ones first, then by rank."""
    listed = offers.all()
    states = await catalogue.readiness_of_all(listed)
    return [_model_view(offers, *pair) for pair in zip(listed, states, strict=True)]


def _model_view(offers: Offers, offer: Offer, readiness: Readiness) -> ModelView:
    try:
        workflow = offers.workflow(offer)
    except ComfygenError:
        metadata, values, file = None, {}, ""
    else:
        metadata = workflow.metadata
        values = {**metadata.defaults, **offer.block.template_values()}
        file = model_file(offer, workflow)
    return ModelView(
        name=offer.name,
        aliases=offer.aliases,
        state=readiness.state,
        kind=metadata.kind if metadata else None,
        description=metadata.description if metadata else "",
        model_file=file,
        workflow=PurePath(offer.workflow).name,
        host=readiness.host,
        configured=offer.configured,
        preview_engine=readiness.preview_engine,
        width=_whole(values.get("width")),
        height=_whole(values.get("height")),
        steps=_whole(values.get("steps")),
        cfg=_real(values.get("cfg")),
        distilled=metadata.distilled if metadata else False,
        vram_gb=metadata.vram_gb if metadata else None,
        license=metadata.license if metadata else None,
        missing=readiness.missing,
        reason=readiness.reason,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and wrong_knob("width", value) is None else None


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and wrong_knob("cfg", value) is None else None
