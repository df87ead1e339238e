"""One pass of a sampler: it reports its steps and leaves a painting in the latent."""

from dataclasses import dataclass, replace

from comfygen_mcp.engine.nodes.distilled import is_distilled
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Guider, Latent, Painting


@dataclass(frozen=True)
class Pass:
    """*leftover* is what a pass that ends early leaves on purpose; *of* the steps of all passes together."""

    guider: Guider
    seed: int
    sampler: str
    steps: int
    strength: float = 1.0
    leftover: float = 0.0
    of: int | None = None


def sample_pass(task: Task, latent: Latent, wanted: Pass) -> Latent:
    """Return *latent* after the pass; untouched where there is nothing to do."""
    if wanted.steps <= 0 or wanted.strength <= 0:
        return latent
    painting = Painting(
        guider=wanted.guider,
        seed=wanted.seed,
        steps=wanted.steps,
        sampler=wanted.sampler,
        strength=min(1.0, wanted.strength),
        leftover=max(wanted.leftover, _residue(wanted)),
    )
    for value in range(1, wanted.steps + 1):
        share = value / wanted.steps
        noise = (1 - share) * painting.strength + share * painting.leftover
        seen = latent.painted(replace(painting, leftover=noise))
        task.step(value, wanted.steps, lambda seen=seen: _preview(seen))
    return latent.painted(painting)


def _residue(wanted: Pass) -> float:
    """Return the noise that too few steps leave: half of it after one, a trace after four, soon none.

    A model that was distilled for few steps leaves none.
    """
    return 0.0 if is_distilled(wanted.guider.model) else 0.5 / (wanted.of or wanted.steps) ** 2


def _preview(latent: Latent) -> bytes:
    from comfygen_mcp.engine.renderer import preview_jpeg

    return preview_jpeg(latent)
