"""Plans: what a request would submit, checked against the server's node classes, with nothing sent."""

from collections.abc import Sequence

from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BackendUnreachable, UnexpectedReply
from comfygen_mcp.graph.build import build_graph
from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.diff import Change, differences
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.validate import Problem, validate
from comfygen_mcp.models import Graph, Job, Record
from comfygen_mcp.services.catalogue import answering


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
    """Build the graph of *job* and check it; raises what building it raises, never for an absent server."""
    shipped = shipped_catalogue()
    try:
        async with answering(source.address):
            host = await source.host()
            known = await nodes.for_graph(host, workflow.graph, also=_lora_loaders(job))
            checked_against = host.url
    except (BackendUnreachable, UnexpectedReply):
        known, checked_against = shipped, "the shipped list of core nodes (the server does not answer)"
    graph = build_graph(job, workflow, _at_least(shipped, known))
    return Plan(
        job=job,
        graph=graph,
        changes=differences(workflow.graph, graph),
        problems=validate(graph, known),
        checked_against=checked_against,
    )


def _lora_loaders(job: Job) -> Sequence[str]:
    return ("LoraLoader", "LoraLoaderModelOnly") if job.loras else ()


def _at_least(shipped: Catalogue, known: Catalogue) -> Catalogue:
    """Return what is known of each class, so that a graph can be built even of classes the server lacks."""
    return shipped.merged(known)
