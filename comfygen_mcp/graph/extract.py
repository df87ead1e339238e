"""Reads out of a graph what made its picture: the prompt, the sampler's settings, the LoRAs."""

from collections.abc import Iterable
from dataclasses import dataclass

from comfygen_mcp.graph.catalogue import FILE_SUFFIXES, Catalogue
from comfygen_mcp.graph.lora_uses import loras_of
from comfygen_mcp.graph.prompts import prompts_of
from comfygen_mcp.graph.samplers import samplers
from comfygen_mcp.graph.scalars import real_of, scalar, text_of, whole_of
from comfygen_mcp.graph.wiring import Wiring, wiring
from comfygen_mcp.models import Graph, JsonValue, Record

__all__ = ["Extracted", "loras_of", "workflow_values"]

_SEED = ("seed", "noise_seed")
_COUNT = ("batch_size", "amount")
_FRAMES = ("length", "frames", "num_frames", "video_frames", "frame_count")


class Extracted(Record):
    """What a graph says of its main sampler, the one that starts; None where it says nothing."""

    prompt: str | None = None
    negative: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = None
    height: int | None = None
    denoise: float | None = None
    count: int | None = None
    frames: int | None = None
    model: str | None = None


def workflow_values(graph: Graph, catalogue: Catalogue) -> Extracted:
    """Follow the links from the main sampler of *graph* to what it works with."""
    wires = wiring(graph, catalogue)
    main = _main_sampler(graph, wires, catalogue)
    if main is None:
        return Extracted()
    values = _Values(graph, wires)
    settings = values.settings(main)
    shapes = values.shapes(main)
    width, height = values.size(shapes)
    prompt, negative = prompts_of(graph, main, wires, catalogue)
    return Extracted(
        prompt=prompt,
        negative=negative,
        seed=whole_of(values.first(settings, _SEED)),
        steps=whole_of(values.first(settings, ("steps",))),
        cfg=real_of(values.first(settings, ("cfg",))),
        sampler=text_of(values.first(settings, ("sampler_name",))),
        scheduler=text_of(values.first(settings, ("scheduler",))),
        width=width,
        height=height,
        denoise=real_of(values.first(settings, ("denoise",))),
        count=whole_of(values.first(shapes, _COUNT)),
        frames=whole_of(values.first(shapes, _FRAMES)),
        model=values.model(main),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    graph: Graph
    wires: Wiring

    def settings(self, main: str) -> tuple[str, ...]:
        """Return the sampler and the nodes that make its noise, guider, schedule and so on."""
        leading = self.wires.upstream([main], ("GUIDER", "SIGMAS", "NOISE", "SAMPLER"))
        found = (wire.source[0] for wire in leading if not self.wires.takes(wire.source[0], ("SIGMAS",)))
        return (main, *dict.fromkeys(found))

    def shapes(self, main: str) -> tuple[str, ...]:
        """Return the nodes that the sampler's latent comes from, nearest first."""
        leading = self.wires.upstream([main], ("LATENT", "IMAGE"))
        return tuple(dict.fromkeys(wire.source[0] for wire in leading))

    def size(self, shapes: Iterable[str]) -> tuple[int | None, int | None]:
        for node_id in shapes:
            width, height = (whole_of(scalar(self.graph, node_id, edge)) for edge in ("width", "height"))
            if width is not None and height is not None:
                return width, height
        return None, None

    def model(self, main: str) -> str | None:
        """Return the file of the model that the sampler works with."""
        leading = self.wires.upstream([main], ("MODEL", "GUIDER"))
        loaders = (wire.source[0] for wire in leading if wire.type == "MODEL")
        for node_id in loaders:
            if not self.wires.takes(node_id, ("MODEL",)):
                names = self.graph[node_id]["inputs"]
                values = (text_of(scalar(self.graph, node_id, name)) for name in names)
                return next(
                    (value for value in values if value and value.lower().endswith(FILE_SUFFIXES)), None
                )
        return None

    def first(self, node_ids: Iterable[str], names: Iterable[str]) -> JsonValue:
        """Return the value of the first of *names* that one of the nodes has, the nearest node first."""
        known = tuple(names)
        values = (scalar(self.graph, node_id, name) for node_id in node_ids for name in known)
        return next((value for value in values if value is not None), None)


def _main_sampler(graph: Graph, wires: Wiring, catalogue: Catalogue) -> str | None:
    """Return the first sampler that no other one feeds; one whose picture is saved before any other."""
    sampling = samplers(graph, wires, catalogue)
    fed = set(wires.downstream(wire for node_id in sampling for wire in wires.given[node_id]))
    starting = [node_id for node_id in sampling if node_id not in fed] or list(sampling)
    saved = (node_id for node_id in starting if _is_saved(graph, node_id, wires, catalogue))
    return next(saved, None) or next(iter(starting), None)


def _is_saved(graph: Graph, node_id: str, wires: Wiring, catalogue: Catalogue) -> bool:
    specs = (catalogue.get(graph[below]["class_type"]) for below in wires.downstream(wires.given[node_id]))
    return any(spec is not None and spec.output_node for spec in specs)
