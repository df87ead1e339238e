"""How far a prompt is: socket events in, Progress records out, never backwards."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from comfygen_mcp.comfyui.events import Cached, Event, Executing, NodesMoved, QueueChanged, Started, Stepped
from comfygen_mcp.comfyui.steps import StepClock
from comfygen_mcp.models import Graph, Progress

Phase: TypeAlias = Literal["queued", "loading", "sampling", "decoding", "saving", "running"]

_WEIGHTS: Mapping[Phase, float] = {"sampling": 30, "loading": 3, "decoding": 3, "saving": 1, "running": 0.5}
_MESSAGES: Mapping[Phase, str] = {
    "loading": "loading models",
    "sampling": "sampling",
    "decoding": "decoding",
    "saving": "saving",
}
_AWAY = {"message": "the server does not answer, trying again", "eta_s": None}
_NEARLY = 0.99
"""Only history says that a prompt has succeeded; until then the fraction stays below 1."""


class ProgressMeter:
    """Keeps the state of one prompt; without its graph only steps and phases of known nodes are told."""

    def __init__(self, graph: Graph | None) -> None:
        self._graph = graph or {}
        self._clock = StepClock()
        self._finished: set[str] = set()
        self._cached: set[str] = set()
        self._started = False
        self._away = False
        self._step: Stepped | None = None
        self._now = Progress(phase="queued", message="queued")

    @property
    def now(self) -> Progress:
        return self._now.model_copy(update=_AWAY) if self._away else self._now

    def take(self, event: Event, at: float) -> Progress:
        """Return the progress after *event*, which was seen at the time *at*."""
        self._away = False
        match event:
            case QueueChanged(remaining=remaining, first=False):
                self._waiting_behind(remaining - 1)
            case Started():
                self.running()
            case Cached(nodes=nodes):
                self._cached.update(nodes)
            case Executing(node=node):
                self._begin(node)
            case Stepped():
                self._advance(event, at)
            case NodesMoved(finished=finished, running=steps):
                self._finished.update(finished)
                for step in steps:
                    self._advance_state(step, at)
            case _:
                pass
        return self._now

    def queued(self, ahead: int) -> Progress:
        """Note that *ahead* prompts will run first."""
        if not self._started:
            self._now = Progress(phase="queued", message=_queue_words(ahead), queue_position=ahead)
        return self._now

    def running(self) -> Progress:
        """Note that the prompt runs, whatever node it is at."""
        if not self._started:
            self._started = True
            self._now = Progress(phase="running", message="running")
        return self._now

    def answers(self, *, yes: bool) -> Progress:
        """Note whether the server answers at the moment."""
        self._away = not yes
        return self.now

    def finished(self) -> Progress:
        self._now = Progress(phase="saving", message="finished", fraction=1.0)
        return self._now

    def _waiting_behind(self, ahead: int) -> None:
        """Prompts that arrive later only raise the count, so the smallest count seen is the nearest."""
        known = self._now.queue_position
        if not self._started:
            self.queued(max(0, ahead if known is None else min(known, ahead)))

    def _begin(self, node: str) -> None:
        self._started = True
        self._step = None
        self._clock.restart()
        self._say(node)

    def _advance_state(self, step: Stepped, at: float) -> None:
        """`progress_state` shows 0/1 for nodes that count no steps; only real counts are steps."""
        if step.maximum > 1:
            self._advance(step, at)

    def _advance(self, step: Stepped, at: float) -> None:
        self._started = True
        if step != self._step:
            self._step = step
            self._clock.tick(step.value, at)
        self._say(step.node)

    def _say(self, node: str) -> None:
        class_type = self._class_of(node)
        phase = phase_of(class_type)
        step = self._step if self._step and self._step.node == node and self._step.value > 0 else None
        self._now = Progress(
            phase=phase,
            message=f"step {step.value}/{step.maximum}" if step else self._words(phase, node),
            node=node,
            class_type=class_type,
            step=step.value if step else None,
            steps=step.maximum if step else None,
            fraction=max(self._now.fraction, self._fraction()),
            eta_s=self._clock.remaining_s(step.maximum + self._later_steps(node)) if step else None,
        )

    def _words(self, phase: Phase, node: str) -> str:
        return _MESSAGES.get(phase) or f"running {self._class_of(node) or f'node {node}'}"

    def _fraction(self) -> float:
        done = sum(self._weight(node) for node in self._finished - self._cached)
        if self._step and self._step.node not in self._finished:
            done += self._weight(self._step.node) * min(1.0, self._step.value / self._step.maximum)
        total = sum(self._weight(node) for node in self._graph if node not in self._cached)
        return min(_NEARLY, done / total) if total else 0.0

    def _weight(self, node: str) -> float:
        return _WEIGHTS[phase_of(self._class_of(node))] if node in self._graph else 0.0

    def _later_steps(self, current: str) -> int:
        """Count the steps of samplers that have not begun (two-stage graphs)."""
        done = self._finished | self._cached | {current}
        waiting = [node for node in self._graph if node not in done]
        steps = [self._graph[node]["inputs"].get("steps") for node in waiting if self._samples(node)]
        return sum(count for count in steps if isinstance(count, int))

    def _samples(self, node: str) -> bool:
        return phase_of(self._class_of(node)) == "sampling"

    def _class_of(self, node: str) -> str | None:
        known = self._graph.get(node)
        return known["class_type"] if known else None


def phase_of(class_type: str | None) -> Phase:
    """Name the phase that a node of this class belongs to."""
    name = class_type or ""
    if name.startswith(("KSampler", "SamplerCustom")) and name != "KSamplerSelect":
        return "sampling"
    if "Loader" in name:
        return "loading"
    if "Decode" in name:
        return "decoding"
    if name.startswith(("Save", "Preview", "CreateVideo", "VHS_VideoCombine")):
        return "saving"
    return "running"


def _queue_words(ahead: int) -> str:
    if ahead <= 0:
        return "queued"
    return f"queued, {ahead} job{'s' if ahead > 1 else ''} ahead"
