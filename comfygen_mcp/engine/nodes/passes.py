"""One pass of a sampler: it reports its steps and leaves a painting in the latent."""

from dataclasses import dataclass, replace

from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Guider, Latent, Painting


@dataclass(frozen=True)
class Pass:
    """*leftover* is what a pass that ends early leaves behind on purpose."""

    guider: Guider
    seed: int
    sampler: str
    steps: int
    strength: float = 1.0
    leftover: float = 0.0


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
        leftover=max(wanted.leftover, _residue(wanted.steps)),
    )
    for value in range(1, wanted.steps + 1):
        noise = max(painting.leftover, 1 - value / wanted.steps)
        seen = latent.painted(replace(painting, leftover=noise))
        task.step(value, wanted.steps, lambda seen=seen: _preview(seen))
    return latent.painted(painting)


def _residue(steps: int) -> float:
    """Return the noise that a pass of few steps cannot remove: half of it after one, a trace after twenty."""
    return 0.5 / steps**1.6


def _preview(latent: Latent) -> bytes:
    from comfygen_mcp.engine.renderer import preview_jpeg

    return preview_jpeg(latent)
