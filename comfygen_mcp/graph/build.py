"""Builds the graph of a job: the template filled, tuned, with its LoRAs, checked, ready to be sent."""

from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.check import check_links
from comfygen_mcp.graph.lora import with_loras
from comfygen_mcp.graph.optional import without_unused
from comfygen_mcp.graph.overrides import with_overrides
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.graph.prefix import with_filename_prefix
from comfygen_mcp.graph.template import fill
from comfygen_mcp.models import Graph, Job

OUTPUT_FOLDER = "comfygen"
"""Folder below the server's `output/` and `input/` that our files go into."""


def build_graph(job: Job, workflow: Workflow, catalogue: Catalogue) -> Graph:
    """Return what is submitted for *job*; raises BadWorkflow or BadRequest when it cannot be built.

    *workflow* is the one that the job names, or holds the graph that the job brings along.
    """
    graph = workflow.graph if job.verbatim else _completed(job, workflow, catalogue)
    graph = with_filename_prefix(graph, f"{OUTPUT_FOLDER}/{job.id}", catalogue)
    check_links(graph, catalogue)
    return graph


def _completed(job: Job, workflow: Workflow, catalogue: Catalogue) -> Graph:
    unused = [name for name in workflow.metadata.optional if name not in job.values]
    graph = without_unused(workflow.graph, unused, catalogue)
    graph = with_overrides(fill(graph, job.values), job.overrides, catalogue)
    return with_loras(graph, job.loras, catalogue, workflow.metadata.lora)
