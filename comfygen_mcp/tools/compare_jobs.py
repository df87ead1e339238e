"""Comparisons where jobs are asked for: an id may name either."""

from mcp.server.mcpserver import Context
from mcp.types import ContentBlock

from comfygen_mcp.app import App
from comfygen_mcp.errors import UnknownName
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.compare_attendance import attend_comparison
from comfygen_mcp.tools.compare_results import comparison_content, comparison_text
from comfygen_mcp.tools.compare_views import CompareView, compare_view


async def comparison_named(app: App, name: str) -> str | None:
    """Return the id of the comparison that *name* is one of, or None for a job of this process.

    Raises UnknownName where it is neither.
    """
    try:
        await app.generation.state(name, visible_to=app.owner)
    except UnknownName as unknown:
        try:
            return (await app.comparisons.find(name, visible_to=app.owner)).comparison.id
        except UnknownName:
            raise unknown from None
    return None


async def look_at_comparison(
    app: App, ctx: Context, comparison_id: str, *, wait_s: float, show_preview: bool
) -> tuple[list[ContentBlock], CompareView]:
    """Return a comparison with its sheet, waiting for it as long as that."""
    state = await attend_comparison(app, ctx, comparison_id, wait_s=wait_s, owner=False)
    view = await compare_view(state, app)
    content = await comparison_content(app, state, view, show_preview=show_preview)
    return content, view


async def stopped_comparison(app: App, comparison_id: str) -> tuple[str, CompareView]:
    """Cancel a comparison; return what to say of it."""
    before = (await app.comparisons.find(comparison_id, visible_to=app.owner)).finished
    state = await app.comparisons.cancel(comparison_id, visible_to=app.owner)
    text, view = await _told(app, state)
    return (f"It had already ended.\n{text}" if before else text), view


async def running_comparisons(app: App) -> list[tuple[str, CompareView]]:
    """Return what is compared now, each in words and as a view."""
    return [await _told(app, state) for state in app.comparisons.running(visible_to=app.owner)]


async def _told(app: App, state: ComparisonState) -> tuple[str, CompareView]:
    view = await compare_view(state, app)
    return comparison_text(state.comparison, view), view
