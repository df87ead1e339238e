"""Plans: what a request would submit, checked against the server's node classes, with nothing sent."""

from collections.abc import Sequence
from typing import NamedTuple

from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BackendUnreachable, BadRequest, BadWorkflow, UnexpectedReply
from comfygen_mcp.graph.build import build_graph
from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.diff import Change, differences
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.validate import Problem, validate
from comfygen_mcp.models import Graph, Job, Record
from comfygen_mcp.services.catalogue import answering

_SHIPPED = "the shipped list of core nodes (the server does not answer)"
_ALWAYS_ASKED = "missing_node_type"
"""A problem that no earlier reply tells of: of classes that a server lacks nothing is remembered."""


class Plan(Record):
    """A job that was not started: its graph, how that differs from the template, and what would be refused.

    *checked_against* is the address of the server that was asked, or the shipped catalogue's name.
    """

    job: Job
    graph: Graph
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    checked_against: str


async def plan(job: Job, workflow: Workflow, source: HostSource, nodes: NodeClasses) -> Plan:
    """Build the graph of *job* and check it; raises what building it raises, never for an absent server.

    What a server said of its classes earlier refuses nothing: it is asked anew first.
    """
    known = await _known(job, workflow, source, nodes)
    try:
        made = _planned(job, workflow, known)
        if known.address is None or all(problem.type == _ALWAYS_ASKED for problem in made.problems):
            return made
    except (BadRequest, BadWorkflow):
        if known.address is None:
            raise
    return _planned(job, workflow, await _known(job, workflow, source, nodes, fresh=True))


class _Known(NamedTuple):
    """The node classes, and the address of the server that told of them; None when none answered."""

    catalogue: Catalogue
    address: str | None


async def _known(
    job: Job, workflow: Workflow, source: HostSource, nodes: NodeClasses, *, fresh: bool = False
) -> _Known:
    try:
        async with answering(source.address):
            host = await source.host()
            also = _lora_loaders(job)
            return _Known(await nodes.for_graph(host, workflow.graph, also=also, fresh=fresh), host.url)
    except (BackendUnreachable, UnexpectedReply):
        return _Known(shipped_catalogue(), None)


def _planned(job: Job, workflow: Workflow, known: _Known) -> Plan:
    # What is shipped lets a graph be built even of classes that the server lacks.
    graph = build_graph(job, workflow, shipped_catalogue().merged(known.catalogue))
    return Plan(
        job=job,
        graph=graph,
        changes=differences(workflow.graph, graph),
        problems=validate(graph, known.catalogue),
        checked_against=known.address or _SHIPPED,
    )


def _lora_loaders(job: Job) -> Sequence[str]:
    return ("LoraLoader", "LoraLoaderModelOnly") if job.loras else ()
