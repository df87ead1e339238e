"""Asking the server for what a refusal should offer: the files and values that would have been valid."""

import contextlib
from collections.abc import Sequence

from comfygen_mcp.comfyui.catalogue import Catalogue
from comfygen_mcp.comfyui.refusal import refusal
from comfygen_mcp.comfyui.rejection import Problem, Rejection
from comfygen_mcp.errors import ComfygenError, GraphRejected
from comfygen_mcp.graph.files import requirement
from comfygen_mcp.models import JsonValue, RequiredFile


async def explain(
    catalogue: Catalogue, rejection: Rejection, requires: Sequence[RequiredFile] = ()
) -> GraphRejected:
    """Return the error for *rejection*; what the server cannot be asked is left out of its message."""
    installed: dict[str, tuple[str, ...]] = {}
    choices: dict[tuple[str, str], tuple[JsonValue, ...]] = {}
    with contextlib.suppress(ComfygenError):
        for class_type in {p.class_type for p in rejection.problems if p.type == "value_not_in_list"}:
            await catalogue.forget_node(class_type)
        for folder in {_folder(p, requires) for p in rejection.problems if p.folder}:
            installed[folder] = await catalogue.models(folder, refresh=True)
        for class_type, input_name in {_list(p) for p in rejection.problems if _is_unknown_list(p)}:
            choices[class_type, input_name] = await catalogue.choices(class_type, input_name)
    return refusal(rejection, installed=installed, choices=choices, requires=requires)


def _folder(problem: Problem, requires: Sequence[RequiredFile]) -> str:
    entry = requirement(problem.value, requires)
    return entry.folder if entry else problem.folder or ""


def _list(problem: Problem) -> tuple[str, str]:
    return problem.class_type, problem.input_name or ""


def _is_unknown_list(problem: Problem) -> bool:
    return problem.type == "value_not_in_list" and not problem.folder and not problem.choices
