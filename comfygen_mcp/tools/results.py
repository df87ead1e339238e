"""Tool results: a short text, one small preview, a link per file, and the structured view."""

import base64
import logging
from collections.abc import Sequence
from functools import partial

from anyio import to_thread
from mcp.types import Annotations, CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent

from comfygen_mcp.app import App
from comfygen_mcp.errors import JobCancelled, StoreFailed
from comfygen_mcp.images import PREVIEW_MIME, contact_sheet, preview
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.models import Generation
from comfygen_mcp.services.plans import Plan
from comfygen_mcp.tools.job_views import JobView, job_view, plan_view
from comfygen_mcp.tools.views import OutputView, View, image_uri
from comfygen_mcp.videos import MAX_BYTES, stills

log = logging.getLogger(__name__)

PREVIEWED = 36
"""Outputs that one preview shows: of more, the pictures in it would be too small to tell apart."""

PREVIEW_ENGINE_TEXT = (
    "This is a PREVIEW PICTURE from the embedded engine: no ComfyUI was found, no diffusion model ran, "
    "and it only sketches the prompt. Start ComfyUI or set COMFYUI_URL for real pictures."
)


async def job_result(
    app: App, state: JobState, *, show_preview: bool, announcement: str | None = None
) -> CallToolResult:
    """Return a job as a tool result, finished or not; *announcement* is repeated for one that goes on."""
    view = await job_view(state, app, announcement=announcement)
    text = job_text(state, view)
    if announcement is not None and not state.finished:
        text = f"{text}\n{announcement}"
    content: list[ContentBlock] = [TextContent(type="text", text=text)]
    if show_preview:
        content += await preview_blocks(app, state.generations)
    content += [link(generation) for generation in state.generations[: len(view.outputs)]]
    return structured(content, view)


def plan_result(plan: Plan) -> CallToolResult:
    """Return a dry run as a tool result."""
    view = plan_view(plan)
    left_out = view.plan.left_out if view.plan else ""
    text = "\n".join(filter(None, [plan_text(plan), left_out]))
    return structured([TextContent(type="text", text=text)], view)


def structured(content: list[ContentBlock], view: View) -> CallToolResult:
    return CallToolResult(content=content, structured_content=view.model_dump(mode="json"))


def raise_if_failed(state: JobState) -> None:
    """Raise what ended the job, with its id, so that the caller reads the cause as an error."""
    if state.status == "cancelled":
        raise JobCancelled(f"Job {state.job.id} was cancelled. {state.error or ''}".rstrip())
    if state.status == "failed":
        raise type(state.failure)(f"{state.failure} (job {state.job.id})")


async def preview_blocks(app: App, generations: Sequence[Generation]) -> list[ContentBlock]:
    """Return one small picture of the first that are pictures, or nothing when there is none to show.

    A video is shown by stills of it, or by the poster that was stored with it.
    """
    generations = generations[:PREVIEWED]
    shown = await _stills(app, generations) or [
        picture
        for entry in generations
        if entry.media == "image" and (picture := await _bytes_of(app, entry)) is not None
    ]
    if not shown:
        return []
    small = partial(preview, shown[0]) if len(shown) == 1 else partial(contact_sheet, shown)
    data = await to_thread.run_sync(small)
    if data is None:
        return []
    return [preview_block(data)]


def preview_block(data: bytes) -> ImageContent:
    """Return a small picture as the model and the user are shown it."""
    return ImageContent(
        type="image",
        data=base64.b64encode(data).decode("ascii"),
        mime_type=PREVIEW_MIME,
        annotations=Annotations(audience=["user", "assistant"], priority=0.8),
    )


async def _stills(app: App, generations: Sequence[Generation]) -> list[bytes]:
    small = (entry for entry in generations if entry.media == "video" and entry.size_bytes <= MAX_BYTES)
    video = next(small, None)
    data = None if video is None else await _bytes_of(app, video)
    return [] if data is None else await to_thread.run_sync(stills, data)


async def _bytes_of(app: App, generation: Generation) -> bytes | None:
    try:
        return await app.gallery.read_output(generation)
    except StoreFailed as reason:
        # The file is stored; that it cannot be read back just now must not hide where it is.
        log.warning("no preview of generation %s: %s", generation.id, reason)
        return None


def link(generation: Generation) -> ResourceLink:
    return ResourceLink(
        type="resource_link",
        uri=image_uri(generation.id),
        name=generation.key.rsplit("/", 1)[-1],
        mime_type=generation.mime,
        size=generation.size_bytes,
        annotations=Annotations(audience=["user"], priority=1.0),
    )


def job_text(state: JobState, view: JobView) -> str:
    """Return what a person would want to read of this job, a few lines at most."""
    lines = [_headline(state)]
    lines += [f"{where(output)} (generation {output.generation_id})" for output in view.outputs]
    if view.more_outputs:
        lines.append(f"... and {view.more_outputs} more: {view.next}.")
    if state.generations and state.generations[0].preview_engine:
        lines.append(PREVIEW_ENGINE_TEXT)
    lines += [f"Note: {note}" for note in view.notes]
    if not state.finished:
        lines.append(
            f"Call get_job(job_id={state.job.id!r}, wait_s=45) for the result, or cancel_job to stop it."
        )
    return "\n".join(lines)


def plan_text(plan: Plan) -> str:
    """Return what a dry run found, a few lines at most."""
    job = plan.job
    lines = [f"Nothing was sent. The graph has {len(plan.graph)} nodes; checked: {plan.checked_against}."]
    if not plan.problems:
        lines.append("It would be accepted.")
    lines += [
        f"Refused: node {found.node} ({found.class_type}): {found.message}" for found in plan.problems[:10]
    ]
    if len(plan.problems) > 10:
        lines.append(f"... and {len(plan.problems) - 10} more problems.")
    return "\n".join([*lines, *(f"Note: {note}" for note in job.notes)])


def where(output: OutputView) -> str:
    """Return where a person finds the file."""
    return output.path or output.download_url or output.url


def _headline(state: JobState) -> str:
    job = state.job
    match state.status:
        case "completed":
            seconds = state.generations[0].timings.latency_ms / 1000 if state.generations else 0.0
            settings = [_size(state), f"seed {job.seed}"]
            settings += [f"{job.steps} steps" if job.steps else "", f"cfg {job.cfg:g}" if job.cfg else ""]
            count = len(state.generations)
            return (
                f"Generated {count} file{'s' * (count != 1)} with {job.backend} in {seconds:.1f} s: "
                + ", ".join(part for part in settings if part)
                + "."
            )
        case "failed":
            return f"Job {job.id} failed: {state.error}"
        case "cancelled":
            return f"Job {job.id} was cancelled. {state.error or ''}".rstrip()
        case _:
            message = state.progress.message if state.progress else "waiting to start"
            return f"Job {job.id} is {state.status}: {message}."


def _size(state: JobState) -> str:
    """Return the size that was asked for; where the job has only one edge of it, that of the first output."""
    sized = (state.job, *state.generations[:1])
    return next((f"{one.width}x{one.height}" for one in sized if one.width and one.height), "")
