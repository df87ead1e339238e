"""Tells the stages of a graph with several models apart: high and low noise, base and refiner."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from comfygen_mcp.graph.catalogue import FILE_SUFFIXES
from comfygen_mcp.graph.samplers import samplers_of
from comfygen_mcp.graph.wiring import Slot, Wiring
from comfygen_mcp.models import Graph, LoraTarget

_Order: TypeAlias = Literal["first", "later"]
_BY_NOISE: Mapping[_Order, LoraTarget] = {"first": "high", "later": "low"}
_BY_QUALITY: Mapping[_Order, LoraTarget] = {"first": "base", "later": "refiner"}

_MOST_STAGED = 16
"""With more models than this nobody means stages, and comparing each with each would take long."""

_NOT_NOISE = "poly|light|key|contrast|qual|angle|detail|res|def|fidelity|vram|fps|cfg|fantasy|fashion"
_NOISE_STAGE = re.compile(
    rf"(?<![a-z])(high|low)([-_.\s]*noise|(?![a-z])(?![-_.\s]*(?:{_NOT_NOISE})))", re.IGNORECASE
)
"""`..._high_noise`, `LowNoise`, `wan22-high-v2`; but a LoRA for low poly pictures is for every stage."""


def noise_stage_told_by(name: str) -> LoraTarget | None:
    """Return the stage of Wan 2.2 that a file's name says; its folders count where the name is silent."""
    for part in reversed(re.split(r"[\\/]", name)):
        told = {match[1].casefold() for match in _NOISE_STAGE.finditer(_apart(part))}
        if told == {"high"}:
            return "high"
        if told == {"low"}:
            return "low"
        if told:
            return None
    return None


@dataclass(frozen=True, slots=True)
class Staging:
    """What is known of the sources before their stages are: their samplers and text encoders."""

    graph: Graph
    wires: Wiring
    sampling: frozenset[str]
    clips: Mapping[Slot, Slot | None]

    def stages(self) -> dict[Slot, LoraTarget | None]:
        """Return source → stage; None for sources that work side by side, alone, or in crowds."""
        sources = tuple(self.clips)
        if not 1 < len(sources) <= _MOST_STAGED:
            return dict.fromkeys(sources)
        told: dict[Slot, LoraTarget | None] = {source: self._told_by_files(source) for source in sources}
        order = self._order(sources)
        if "refiner" not in told.values() and self._is_split_by_noise(told.values()):
            return {source: _noise_stage(told[source], order.get(source)) for source in sources}
        refined = "refiner" in told.values()
        return {
            source: _quality_stage(told[source], order.get(source), refined=refined) for source in sources
        }

    def _is_split_by_noise(self, told: Iterable[LoraTarget | None]) -> bool:
        """High and low noise models share one text encoder; a refiner comes with its own."""
        shared = len(set(self.clips.values())) == 1 and None not in self.clips.values()
        return shared or {"high", "low"} <= set(told)

    def _told_by_files(self, source: Slot) -> LoraTarget | None:
        loaders = (source[0], *(wire.source[0] for wire in self.wires.upstream([source[0]], ("MODEL",))))
        files = [file for node_id in loaders for file in _files(self.graph, node_id)]
        if any("refiner" in file.casefold() for file in files):
            return "refiner"
        return next((told for file in files if (told := noise_stage_told_by(file))), None)

    def _order(self, sources: Iterable[Slot]) -> dict[Slot, _Order]:
        """Tell which sources sample before others; those that take turns have no order."""
        own = {source: frozenset(samplers_of(source, self.wires, self.sampling)) for source in sources}
        after = {
            source: frozenset(
                self.wires.downstream([wire for node_id in nodes for wire in self.wires.given[node_id]])
            )
            for source, nodes in own.items()
        }
        before = [
            (one, other)
            for one in own
            for other in own
            if after[one] & own[other] and not after[other] & own[one]
        ]
        first: dict[Slot, _Order] = {one: "first" for one, _ in before}
        return {**first, **{other: "later" for _, other in before}}


def _apart(name: str) -> str:
    """Put a space where a small letter meets a capital: `WanHighNoise`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _files(graph: Graph, node_id: str) -> list[str]:
    values = graph[node_id]["inputs"].values()
    return [value for value in values if isinstance(value, str) and value.lower().endswith(FILE_SUFFIXES)]


def _noise_stage(told: LoraTarget | None, order: _Order | None) -> LoraTarget | None:
    if told is not None:
        return told
    return _BY_NOISE[order] if order else None


def _quality_stage(told: LoraTarget | None, order: _Order | None, *, refined: bool) -> LoraTarget | None:
    if refined:
        return "refiner" if told == "refiner" else "base"
    return _BY_QUALITY[order] if order else None
