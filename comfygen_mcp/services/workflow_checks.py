"""Checks workflows against a server: each filled with its defaults, and validated by the server's classes."""

from typing import Literal, TypeAlias

from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.check import check_links
from comfygen_mcp.graph.files import folder_of, requirement
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.parameters import parameters
from comfygen_mcp.graph.template import fill, placeholders, substitution_map
from comfygen_mcp.graph.validate import Problem, validate
from comfygen_mcp.models import Graph, Host, Record, RequiredFile, Scalar
from comfygen_mcp.services.catalogue import PROBE_VALUES, answering

Verdict: TypeAlias = Literal["ok", "missing files", "problems", "broken"]

_PICTURE = "comfygen/picture.png"
"""Stands in for an upload: servers take names in folders without looking."""


class WorkflowCheck(Record):
    """What a server would say to one workflow; files that are not installed there are no fault of it."""

    name: str
    verdict: Verdict
    problems: tuple[str, ...] = ()
    missing: tuple[RequiredFile, ...] = ()


class WorkflowChecks:
    """Checks every workflow of *library* against the default host."""

    def __init__(self, *, library: WorkflowLibrary, source: HostSource, nodes: NodeClasses) -> None:
        self._library = library
        self._source = source
        self._nodes = nodes

    async def check_all(self) -> list[WorkflowCheck]:
        """Return a verdict per workflow, broken files last; raises BackendUnreachable or UnexpectedReply."""
        async with answering(self._source.address):
            host = await self._source.host()
        found = [await self._check(host, workflow) for workflow in self._library.all()]
        broken = [
            WorkflowCheck(name=file.file, verdict="broken", problems=(file.reason,))
            for file in self._library.broken()
        ]
        return [*found, *broken]

    async def _check(self, host: Host, workflow: Workflow) -> WorkflowCheck:
        async with answering(self._source.address):
            found = checked(workflow, await self._nodes.for_graph(host, workflow.graph))
            if found.verdict == "ok":
                return found
            # What the server said earlier may be out of date: it finds no fault by itself.
            return checked(workflow, await self._nodes.for_graph(host, workflow.graph, fresh=True))


def checked(workflow: Workflow, catalogue: Catalogue) -> WorkflowCheck:
    """Return what a server with *catalogue* would say to *workflow*, filled with its defaults."""
    try:
        graph = _filled(workflow, catalogue)
        check_links(graph, catalogue)
    except (BadWorkflow, BadRequest) as reason:
        return WorkflowCheck(name=workflow.name, verdict="broken", problems=(str(reason),))
    found = validate(graph, catalogue)
    missing = [file for problem in found if (file := _missing_file(problem, graph, workflow))]
    others = [problem for problem in found if _missing_file(problem, graph, workflow) is None]
    texts = tuple(f"node {problem.node} ({problem.class_type}): {problem.message}" for problem in others)
    if others:
        return WorkflowCheck(
            name=workflow.name, verdict="problems", problems=texts, missing=tuple(dict.fromkeys(missing))
        )
    verdict = "missing files" if missing else "ok"
    return WorkflowCheck(name=workflow.name, verdict=verdict, missing=tuple(dict.fromkeys(missing)))


def _filled(workflow: Workflow, catalogue: Catalogue) -> Graph:
    pictures = {known.name: _PICTURE for known in parameters(workflow, catalogue) if known.picture}
    values: dict[str, Scalar] = substitution_map(
        request={**PROBE_VALUES, **pictures}, preset={}, block={}, defaults=workflow.metadata.defaults
    )
    empty = [name for name in placeholders(workflow.graph) if name not in values]
    unused = [name for name in empty if name in workflow.metadata.optional]
    return fill(without_unused(workflow.graph, unused, catalogue), values)


def _missing_file(problem: Problem, graph: Graph, workflow: Workflow) -> RequiredFile | None:
    if problem.type != "value_not_in_list" or problem.input is None:
        return None
    folder = folder_of(problem.class_type, problem.input)
    if folder is None:
        return None
    value = graph[problem.node]["inputs"][problem.input]
    known = requirement(value, workflow.metadata.requires, folder=folder)
    return known or RequiredFile(file=str(value), folder=folder)
