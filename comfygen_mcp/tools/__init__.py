"""The one list of tools: what each is called for people, and what it may do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.types import ToolAnnotations

from comfygen_mcp.tools.compare import compare_models
from comfygen_mcp.tools.control import cancel_job, get_job, server_status
from comfygen_mcp.tools.edit import edit_image, upscale_image
from comfygen_mcp.tools.gallery import search_gallery
from comfygen_mcp.tools.generation import generate_image, get_generation
from comfygen_mcp.tools.loras import list_loras
from comfygen_mcp.tools.manage import delete_generation, tag_generation
from comfygen_mcp.tools.models import list_models, list_presets
from comfygen_mcp.tools.regenerate import regenerate
from comfygen_mcp.tools.video import generate_video
from comfygen_mcp.tools.workflows import list_workflows, run_workflow


@dataclass(frozen=True)
class ToolEntry:
    """One tool: the function, its title, its annotations."""

    function: Callable[..., Any]
    title: str
    annotations: ToolAnnotations


def _read(function: Callable[..., Any], title: str) -> ToolEntry:
    return ToolEntry(function, title, ToolAnnotations(read_only_hint=True, open_world_hint=False))


def _write(
    function: Callable[..., Any], title: str, *, idempotent: bool = False, destructive: bool = False
) -> ToolEntry:
    return ToolEntry(
        function,
        title,
        ToolAnnotations(
            read_only_hint=False,
            destructive_hint=destructive,
            idempotent_hint=idempotent or None,
            open_world_hint=False,
        ),
    )


WRITES = (
    _write(generate_image, "Generate an image"),
    _write(edit_image, "Edit an image"),
    _write(upscale_image, "Upscale an image"),
    _write(generate_video, "Generate a video"),
    _write(compare_models, "Compare models or settings"),
    _write(run_workflow, "Run any workflow"),
    _write(regenerate, "Regenerate a picture"),
    _write(cancel_job, "Cancel a job", idempotent=True),
)

READS = (
    _read(list_models, "List models"),
    _read(list_loras, "List LoRAs"),
    _read(list_presets, "List presets"),
    _read(list_workflows, "List workflows"),
    _read(search_gallery, "Search the gallery"),
    _read(get_generation, "Get a generation"),
    _read(get_job, "Get a job"),
    _read(server_status, "Server status"),
)

TOOLS = (*WRITES, *READS)
"""Always offered, unless the configuration says otherwise."""

MANAGE = (
    _write(tag_generation, "Tag a stored picture", idempotent=True),
    _write(delete_generation, "Delete a stored picture", destructive=True),
)
"""Offered only where the configuration has `manage`."""
