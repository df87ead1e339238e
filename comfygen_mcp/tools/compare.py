"""The tool that makes one prompt in several ways, side by side."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field, WithJsonSchema

from comfygen_mcp.app import App
from comfygen_mcp.compare import CompareRequest
from comfygen_mcp.compare_axes import parse_axes, with_shared
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.arguments import Steps, WaitSeconds
from comfygen_mcp.tools.compare_attendance import attend_comparison
from comfygen_mcp.tools.compare_results import comparison_result, failure_text, planned_result
from comfygen_mcp.tools.compare_views import CompareView, compare_view
from comfygen_mcp.tools.context import TheApp, TheCaller

PlainSeed = Annotated[
    int | str | None, WithJsonSchema({"anyOf": [{"type": ["integer", "string"]}, {"type": "null"}]})
]
"""In few bytes; text above 2^53 as everywhere."""


async def compare_models(  # noqa: PLR0913, PLR0917 - each argument is one knob of the request
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    prompt: str | None = None,
    models: list[str] | None = None,
    axes: Annotated[
        dict[str, Any] | None,
        Field(description="Up to 2: presets, loras, strengths, seeds, steps, cfg: {steps: [4, 8]}"),
    ] = None,
    negative: str | None = None,
    style: str | None = None,
    size: str | None = None,
    seed: PlainSeed = None,
    steps: Steps = None,
    cfg: float | None = None,
    resume: str | None = None,
    dry_run: bool | None = None,
    wait_s: WaitSeconds = None,
) -> Annotated[CallToolResult, CompareView]:
    """Make one prompt with several models or settings and one seed, on a labelled contact sheet.

    Only what is given is forced on them.
    """
    began = time.monotonic()
    given = {"models": models, "seeds": seed, "steps": steps, "cfg": cfg}
    wanted = {"prompt": prompt, "axes": axes, "negative": negative, "style": style, "size": size, **given}
    if resume is not None:
        _check_alone(wanted)
        state = await app.comparisons.resume(resume, visible_to=app.owner)
    else:
        request = CompareRequest(
            prompt=prompt or "",
            negative=negative,
            style=style,
            size=size,
            axes=with_shared(parse_axes(axes), **given),
            caller=caller,
            owner=app.owner,
        )
        if dry_run:
            return planned_result(await app.comparisons.plan(request))
        state = await app.comparisons.start(request)
    bound = app.settings.wait_s if wait_s is None else wait_s
    left = max(bound - (time.monotonic() - began), 0)
    state = await attend_comparison(app, ctx, state.comparison.id, wait_s=left, owner=True)
    await _raise_if_failed(app, state)
    return await comparison_result(app, state, show_preview=True)


def _check_alone(wanted: Mapping[str, object]) -> None:
    given = [name.replace("seeds", "seed") for name, value in wanted.items() if value is not None]
    if given:
        raise BadRequest(
            f"resume goes on with a comparison as it was asked for: leave out {', '.join(given)}, "
            "or leave out resume for a new one."
        )


async def _raise_if_failed(app: App, state: ComparisonState) -> None:
    if state.comparison.status == "failed":
        raise state.failure(failure_text(state.comparison, await compare_view(state, app)))
