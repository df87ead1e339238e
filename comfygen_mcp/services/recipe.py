"""The recipe of a job: prompt, seed and settings as they stand in the graph that will be submitted."""

from collections.abc import Mapping
from typing import Any

from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.extract import workflow_values
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.overrides import placed
from comfygen_mcp.graph.template import fill
from comfygen_mcp.models import JsonValue, Record, Scalar
from comfygen_mcp.services.measures import real, whole

_PLACEHOLDER_OF = {"count": "batch_size"}
"""Parts of a recipe that a placeholder of another name fills."""


class Recipe(Record):
    """What a sidecar is searched by; None where the workflow has no such thing."""

    model: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    seed: int
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


def recipe_of(
    workflow: Workflow,
    used: Mapping[str, Scalar],
    overrides: Mapping[str, JsonValue],
    *,
    seed: int,
    model: str,
    by_input: tuple[int, int] | None,
) -> Recipe:
    """Return the recipe of *workflow* filled with *used*, with *overrides* set.

    What a placeholder fills is known; the rest is read out of the graph, and so is what an override
    changes. *seed* was drawn or given, *model* is configured, and *by_input* is the size of the pictures
    that the input decides: each counts where the graph tells nothing of it.
    """
    graph = _Read(workflow, used, overrides)
    width, height = by_input or (None, None)
    given_seed = graph.value("seed")
    return Recipe(
        model=_text(graph.value("model")) or model,
        prompt=_text(graph.value("prompt")) or "",
        negative_prompt=_text(graph.value("negative")) or "",
        seed=seed if given_seed is None else given_seed,
        steps=whole(graph.value("steps")),
        cfg=real(graph.value("cfg")),
        sampler=_text(graph.value("sampler")),
        scheduler=_text(graph.value("scheduler")),
        width=whole(graph.value("width", width)),
        height=whole(graph.value("height", height)),
        denoise=real(graph.value("denoise")),
        count=whole(graph.value("count")) or 1,
        frames=whole(graph.value("frames")),
        fps=real(used.get("fps")),
    )


class _Read:
    """A filled workflow, asked for the parts of its recipe."""

    def __init__(
        self, workflow: Workflow, used: Mapping[str, Scalar], overrides: Mapping[str, JsonValue]
    ) -> None:
        catalogue = shipped_catalogue()
        optional = [name for name in workflow.metadata.optional if name not in used]
        graph = fill(without_unused(workflow.graph, optional, catalogue), used)
        self._used = used
        self._filled = workflow_values(graph, catalogue)
        changed = placed(graph, overrides)
        self._final = workflow_values(changed, catalogue) if overrides else self._filled

    def value(self, name: str, known: Scalar | None = None) -> Any:
        """Return what an override made of it, else its placeholder's value, *known*, or the graph's own."""
        final = getattr(self._final, name)
        if final != getattr(self._filled, name):
            return final
        filled = self._used.get(_PLACEHOLDER_OF.get(name, name), known)
        return final if filled is None else filled


def _text(value: Scalar | None) -> str | None:
    return None if value is None else str(value)
