"""Checks every bundled workflow against the server's own declarations; nothing is submitted."""

from collections.abc import Sequence
from functools import partial

from comfygen_mcp.errors import GraphRejected
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.check import Problem, check_links, validate
from comfygen_mcp.graph.files import files_of, folder_of
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.prefix import with_filename_prefix
from comfygen_mcp.graph.template import fill, substitution_map
from comfygen_mcp.interop.bench import Bench
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped
from comfygen_mcp.interop.graphs import BIG_SEED
from comfygen_mcp.models import Graph, RequiredFile

INPUT = "comfygen-check.png"
"""A name in place of an input picture: nothing is loaded, because nothing is submitted."""


def workflow_checks() -> tuple[Check, ...]:
    """Return one check per bundled workflow."""
    return tuple(
        Check(f"workflow {workflow.name}", partial(_check, workflow=workflow))
        for workflow in WorkflowLibrary().all()
    )


async def _check(bench: Bench, *, workflow: Workflow) -> Finding:
    if bench.catalogue is None:
        return Skipped("server's node classes could not be read")
    graph = _filled(bench, workflow, bench.catalogue)
    problems = [problem for problem in validate(graph, bench.catalogue) if not _is_file(problem)]
    if lacking := [problem.class_type for problem in problems if problem.type == "missing_node_type"]:
        return Skipped(f"server has no {', '.join(dict.fromkeys(lacking))}")
    check_links(graph, bench.catalogue)
    if problems:
        raise GraphRejected(" ".join(f"Node {p.node} ({p.class_type}): {p.message}" for p in problems))
    files = files_of(graph, workflow.metadata.requires)
    return Passed(_words(graph, files, await _missing(bench, files)))


def _filled(bench: Bench, workflow: Workflow, catalogue: Catalogue) -> Graph:
    values = substitution_map(
        request={"prompt": "a red fox in snow", "seed": BIG_SEED, "image": INPUT, "mask": INPUT},
        preset={},
        block={},
        defaults=workflow.metadata.defaults,
    )
    unused = [name for name in workflow.metadata.optional if name not in values]
    graph = fill(without_unused(workflow.graph, unused, catalogue), values)
    return with_filename_prefix(graph, bench.prefix(workflow.name), catalogue)


def _is_file(problem: Problem) -> bool:
    """Whether all that is wrong is that a model file is not installed."""
    return problem.type == "value_not_in_list" and (
        problem.input is not None and folder_of(problem.class_type, problem.input) is not None
    )


async def _missing(bench: Bench, files: Sequence[RequiredFile]) -> list[str]:
    absent: list[str] = []
    for entry in files:
        installed = await bench.client.models(entry.folder)
        if entry.file not in {name.replace("\\", "/") for name in installed}:
            absent.append(f"{entry.folder}/{entry.file}")
    return absent


def _words(graph: Graph, files: Sequence[RequiredFile], missing: Sequence[str]) -> str:
    if missing:
        return f"{len(graph)} nodes valid; not installed: {', '.join(missing)}"
    return f"{len(graph)} nodes valid; all {len(files)} files installed"
