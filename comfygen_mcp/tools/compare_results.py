"""A comparison as a tool result: a few lines, the small sheet, the structure."""

from mcp.types import Annotations, CallToolResult, ContentBlock, ResourceLink, TextContent

from comfygen_mcp.app import App
from comfygen_mcp.compare import Comparison
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.tools.compact import compact
from comfygen_mcp.tools.compare_views import (
    CellView,
    CompareView,
    FileView,
    cell_name,
    compare_view,
    planned_view,
)
from comfygen_mcp.tools.results import PREVIEW_ENGINE_TEXT, preview_block

LONGEST_TEXT = 24
"""Cells that the text tells of one by one; the structured result has all."""


async def comparison_result(app: App, state: ComparisonState, *, show_preview: bool) -> CallToolResult:
    """Return a comparison as a tool result, finished or not."""
    view = await compare_view(state, app)
    content = await comparison_content(app, state, view, show_preview=show_preview)
    return compact(comparison_text(state.comparison, view), view).model_copy(update={"content": content})


async def comparison_content(
    app: App, state: ComparisonState, view: CompareView, *, show_preview: bool
) -> list[ContentBlock]:
    """Return the text, the small sheet and a link to the large one."""
    text = TextContent(type="text", text=comparison_text(state.comparison, view))
    content: list[ContentBlock] = [text]
    small = await app.comparisons.preview(state.comparison) if show_preview else None
    if small is not None:
        content.append(preview_block(small))
    if state.comparison.sheet is not None:
        content.append(_link(app, state.comparison.sheet.key))
    return content


def planned_result(comparison: Comparison) -> CallToolResult:
    """Return what a dry run found."""
    view = planned_view(comparison)
    return compact(planned_text(comparison, view), view)


def planned_text(comparison: Comparison, view: CompareView) -> str:
    """Return the cells that would be made, and what cannot be made now."""
    lines = [f"Nothing was sent. {view.total} cells would be made, {_seeds(view)}:"]
    lines += _limited([f"- {_named(comparison, place)}" for place in range(view.total)])
    return "\n".join([*lines, *comparison.notes])


def comparison_text(comparison: Comparison, view: CompareView) -> str:
    """Return what a person would want to read of it, a line per cell."""
    lines = [headline(view)]
    lines += _limited([_line(comparison, place, cell) for place, cell in enumerate(view.cells)])
    if view.preview_engine:
        lines.append(PREVIEW_ENGINE_TEXT)
    lines += [f"Note: {note}" for note in view.notes]
    lines += [f"{name}: {place}" for name, place in _places(view)]
    if view.next:
        lines.append(f"Next: {view.next}.")
    return "\n".join(lines)


def headline(view: CompareView) -> str:
    """Return how many cells are done, in one line."""
    told = f"{view.done} of {view.total} cells done" + (f", {view.failed} failed" if view.failed else "")
    return f"Comparison {view.comparison_id} ({view.status}): {told}, {_seeds(view)}."


def failure_text(comparison: Comparison, view: CompareView) -> str:
    """Return why no cell was made: each reason once, with the cells that it is about."""
    about: dict[str, list[str]] = {}
    for place, attempt in sorted(comparison.last_attempts().items()):
        about.setdefault(attempt.error or "it failed", []).append(_named(comparison, place))
    lines = [f"None of the {view.total} cells could be made."]
    lines += [f"- {', '.join(cells[:5])}{' ...' * (len(cells) > 5)}: {why}" for why, cells in about.items()]
    return "\n".join([*lines, f"Next: {view.next}."])


def _seeds(view: CompareView) -> str:
    seeds = dict.fromkeys(cell.seed for cell in view.cells)
    return f"seed {next(iter(seeds))}" if len(seeds) == 1 else f"{len(seeds)} seeds"


def _limited(lines: list[str]) -> list[str]:
    more = len(lines) - LONGEST_TEXT
    return lines if more <= 0 else [*lines[:LONGEST_TEXT], f"... and {more} more cells"]


def _line(comparison: Comparison, place: int, cell: CellView) -> str:
    told = {
        "done": f"{cell.latency_ms} ms, generation {cell.generation_id}",
        "failed": f"failed: {cell.error}",
    }
    return f"- {_named(comparison, place)}: {told.get(cell.status, cell.status)}"


def _named(comparison: Comparison, place: int) -> str:
    return cell_name(comparison, comparison.cells[place])


def _places(view: CompareView) -> list[tuple[str, str]]:
    files = (("Contact sheet", view.sheet), ("compare.json", view.record))
    places = ((name, _where(file)) for name, file in files if file is not None)
    return [(name, place) for name, place in places if place]


def _where(file: FileView) -> str | None:
    return file.path or file.download_url or file.url


def _link(app: App, key: str) -> ResourceLink:
    address = app.file_url(key) if app.file_url else app.store.url(key)
    return ResourceLink(
        type="resource_link",
        uri=address,
        name=key.rpartition("/")[2],
        mime_type="image/png",
        annotations=Annotations(audience=["user"], priority=1.0),
    )
