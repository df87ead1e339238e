"""The one list of tools: what each is called for people, and what it may do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.types import ToolAnnotations

from comfygen_mcp.tools.control import cancel_job, get_job, server_status
from comfygen_mcp.tools.generation import generate_image, get_generation
from comfygen_mcp.tools.models import list_models, list_presets


@dataclass(frozen=True)
class ToolEntry:
    """One tool: the function, its title, its annotations."""

    function: Callable[..., Any]
    title: str
    annotations: ToolAnnotations


def _read(function: Callable[..., Any], title: str) -> ToolEntry:
    return ToolEntry(function, title, ToolAnnotations(read_only_hint=True, open_world_hint=False))


def _write(function: Callable[..., Any], title: str, *, idempotent: bool = False) -> ToolEntry:
    return ToolEntry(
        function,
        title,
        ToolAnnotations(
            read_only_hint=False,
            destructive_hint=False,
            idempotent_hint=idempotent,
            open_world_hint=False,
        ),
    )


WRITES = (
    _write(generate_image, "Generate an image"),
    _write(cancel_job, "Cancel a job", idempotent=True),
)

READS = (
    _read(list_models, "List models"),
    _read(list_presets, "List presets and styles"),
    _read(get_generation, "Get one stored generation"),
    _read(get_job, "Get a job or the recent ones"),
    _read(server_status, "Server status"),
)

TOOLS = (*WRITES, *READS)
