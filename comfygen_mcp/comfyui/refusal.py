"""The error that a caller sees for a refused graph: every node's problem, and what to do about it."""

from collections.abc import Mapping, Sequence

from comfygen_mcp.comfyui.rejection import Problem, Rejection
from comfygen_mcp.comfyui.shapes import options
from comfygen_mcp.comfyui.wording import shown
from comfygen_mcp.errors import GraphRejected, MissingModel
from comfygen_mcp.graph.files import requirement
from comfygen_mcp.models import JsonValue, RequiredFile
from comfygen_mcp.names import nearest_names

_FILES_NAMED = 8
"""Of the files in a folder, where none has a similar name."""


def refusal(
    rejection: Rejection,
    *,
    installed: Mapping[str, Sequence[str]],
    choices: Mapping[tuple[str, str], Sequence[JsonValue]],
    requires: Sequence[RequiredFile] = (),
) -> GraphRejected:
    """Build the error; *installed* holds the files of each folder in question, freshly fetched.

    *choices* holds the valid values of other inputs, by class and input: replies leave long lists out.
    """
    missing = [problem for problem in rejection.problems if problem.folder is not None]
    others = [problem for problem in rejection.problems if problem.folder is None]
    lines = [f"- {_line(problem, choices)}" for problem in others]
    if not missing:
        return GraphRejected("\n".join([f"ComfyUI refused the graph: {rejection.summary}.", *lines]))
    told = [_missing(problem, installed, requires) for problem in missing]
    also = ["It also refused:", *lines] if lines else []
    return MissingModel("\n".join([*told, "See docs/models.md for what each model needs.", *also]))


def _missing(
    problem: Problem, installed: Mapping[str, Sequence[str]], requires: Sequence[RequiredFile]
) -> str:
    entry = requirement(problem.value, requires)
    folder = entry.folder if entry else problem.folder or ""
    here = installed.get(folder, ())
    words = f"Model {shown(problem.value)} is not in the server's models/{folder}/ ({_where(problem)})."
    if problem.value in here:
        return f"{words} It has been installed meanwhile: submit again."
    near = _nearest_files(str(problem.value), here)
    if near:
        words += f" Nearest installed: {', '.join(near)}."
    elif here:
        words += f" Installed there: {_first(here)}."
    else:
        words += " Nothing is installed in that folder."
    if entry and entry.url:
        words += f" Download it from {entry.url} into models/{folder}/."
    return words


def _first(files: Sequence[str]) -> str:
    more = f" and {len(files) - _FILES_NAMED} more" if len(files) > _FILES_NAMED else ""
    return ", ".join(files[:_FILES_NAMED]) + more


def _nearest_files(name: str, here: Sequence[str]) -> list[str]:
    """Compare without folders and extensions, which make any two model files look alike."""
    by_stem: dict[str, list[str]] = {}
    for file in here:
        by_stem.setdefault(_stem(file), []).append(file)
    return [file for stem in nearest_names(_stem(name), by_stem) for file in by_stem[stem]][:3]


def _stem(file: str) -> str:
    last = file.replace("\\", "/").rpartition("/")[2]
    return last.rpartition(".")[0] or last


def _line(problem: Problem, choices: Mapping[tuple[str, str], Sequence[JsonValue]]) -> str:
    given = f" = {shown(problem.value)}" if problem.value is not None else ""
    details = problem.details
    if details in ("", problem.input_name) or problem.type == "value_not_in_list":
        details = ""
    words = f"{_where(problem)}{given}: {problem.message}" + (f" ({details})" if details else "")
    return words + _valid(problem, choices)


def _where(problem: Problem) -> str:
    title = f" {problem.title!r}" if problem.title and problem.title != problem.class_type else ""
    named = f", input {problem.input_name}" if problem.input_name else ""
    return f"node {problem.node_id}, {problem.class_type}{title}{named}"


def _valid(problem: Problem, choices: Mapping[tuple[str, str], Sequence[JsonValue]]) -> str:
    if problem.type == "value_not_in_list":
        return _valid_choices(problem, choices)
    bounds = options(problem.config)
    return f"; valid: {bounds['min']} to {bounds['max']}" if "min" in bounds and "max" in bounds else ""


def _valid_choices(problem: Problem, choices: Mapping[tuple[str, str], Sequence[JsonValue]]) -> str:
    known = problem.choices or choices.get((problem.class_type, problem.input_name or ""), ())
    names = [str(choice) for choice in known]
    near = nearest_names(str(problem.value), names)
    words = f"; did you mean {' or '.join(near)}?" if near else ""
    if not names:
        return words
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"{words}; valid: {', '.join(names[:20])}{more}"
