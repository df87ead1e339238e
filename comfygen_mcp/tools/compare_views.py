"""What a comparison looks like to a model: a row per cell, the sheet's place, and no bytes."""

from collections.abc import Collection
from typing import Literal

from comfygen_mcp.app import App
from comfygen_mcp.compare import Cell, CellStatus, Comparison, ComparisonStatus, seed_text
from comfygen_mcp.compare_plan import SINGULAR
from comfygen_mcp.compare_sheet import reason_in_words
from comfygen_mcp.services.comparison_run import ComparisonState
from comfygen_mcp.services.comparison_shelf import record_key
from comfygen_mcp.tools.views import View

ViewStatus = ComparisonStatus | Literal["planned", "interrupted"]


class FileView(View):
    """A stored file: *path* where the caller shares the disk, *download_url* where it does not."""

    path: str | None = None
    url: str | None = None
    download_url: str | None = None
    width: int | None = None
    height: int | None = None


class CellView(View):
    """One cell: *values* are those of the axes that vary, by the axis' name.

    One that was *deleted* was done, and its picture is in the gallery no more.
    """

    values: dict[str, str]
    model: str
    status: CellStatus | Literal["deleted"]
    seed: int
    seed_text: str | None = None
    latency_ms: int | None = None
    vram_used_mib: int | None = None
    generation_id: str | None = None
    error: str | None = None
    attempts: int = 0


class CompareView(View):
    """A comparison; its id is the `group_id` of its pictures in the gallery."""

    comparison_id: str | None
    status: ViewStatus
    cells: list[CellView]
    done: int
    failed: int
    total: int
    preview_engine: bool = False
    sheet: FileView | None = None
    record: FileView | None = None
    notes: tuple[str, ...] = ()
    next: str | None = None


async def compare_view(state: ComparisonState, app: App) -> CompareView:
    """Return *state* for a model to read."""
    comparison, deleted = state.comparison, await app.comparisons.deleted(state)
    done = state.count("done") - len(deleted)
    return CompareView(
        comparison_id=comparison.id,
        status="interrupted" if state.interrupted else comparison.status,
        cells=_cells(comparison, deleted),
        done=done,
        failed=state.count("failed"),
        total=len(comparison.cells),
        preview_engine=_by_preview_engine(comparison),
        sheet=await _sheet(comparison, app),
        record=await _file(record_key(comparison), app),
        notes=comparison.notes,
        next=_next(state, done),
    )


def planned_view(comparison: Comparison) -> CompareView:
    """Return what a dry run found."""
    return CompareView(
        comparison_id=None,
        status="planned",
        cells=_cells(comparison),
        done=0,
        failed=0,
        total=len(comparison.cells),
        notes=comparison.notes,
        next="call again without dry_run to make them",
    )


def cell_name(comparison: Comparison, cell: Cell) -> str:
    """Return a cell's model and its values, such as `sd15, steps 8`."""
    values = [
        f"{SINGULAR[axis]} {label}"
        for axis, label in zip(comparison.axes, cell.labels, strict=True)
        if axis != "models"
    ]
    return ", ".join([cell.backend, *values])


def _cells(comparison: Comparison, deleted: Collection[int] = ()) -> list[CellView]:
    last = comparison.last_attempts()
    counts = [attempt.cell for attempt in comparison.attempts]
    views: list[CellView] = []
    for place, cell in enumerate(comparison.cells):
        attempt = last.get(place)
        views.append(
            CellView(
                values=dict(zip(comparison.axes, cell.labels, strict=True)),
                model=cell.backend,
                status="deleted" if place in deleted else comparison.cell_status(place),
                seed=cell.seed,
                seed_text=seed_text(cell.seed),
                latency_ms=attempt and attempt.latency_ms,
                vram_used_mib=attempt and attempt.vram_used_mib,
                generation_id=attempt and attempt.generation_id,
                error=reason_in_words(attempt.error) if attempt and attempt.error else None,
                attempts=counts.count(place),
            )
        )
    return views


def _by_preview_engine(comparison: Comparison) -> bool:
    return any(bool((attempt.metadata or {}).get("preview_engine")) for attempt in comparison.attempts)


async def _sheet(comparison: Comparison, app: App) -> FileView | None:
    if comparison.sheet is None:
        return None
    size = {"width": comparison.sheet.width, "height": comparison.sheet.height}
    return (await _file(comparison.sheet.key, app)).model_copy(update=size)


async def _file(key: str, app: App) -> FileView:
    """Return where a caller finds *key*: a file of this machine is no place for a caller elsewhere."""
    path = app.store.local_path(key) if app.file_url is None else None
    link = await app.store.link(key, expires_s=app.settings.s3.link_expires_s)
    remote = link.startswith(("http://", "https://"))
    return FileView(
        path=str(path) if path else None,
        url=app.store.url(key) if remote else None,
        download_url=link if remote else app.file_url(key) if app.file_url else None,
    )


def _next(state: ComparisonState, done: int) -> str | None:
    comparison_id = state.comparison.id
    if state.live and not state.finished:
        return f"call get_job(job_id={comparison_id!r}, wait_s=45) for the sheet, or cancel_job"
    if done < len(state.comparison.cells):
        return f"compare_models(resume={comparison_id!r}) tries again what is not done"
    return None
