"""Which graphs a caller may bring along: custom nodes run code, so over HTTP only listed classes do."""

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.models import Graph

CORE = "core"
"""Stands in `allowed_nodes` for every class of ComfyUI's own."""


def check_allowed(graph: Graph, settings: Settings, *, http: bool) -> None:
    """Raise BadRequest when a caller over HTTP brings a graph with a node class that is not allowed."""
    if not http or settings.allow_any_node:
        return
    listed = set(settings.allowed_nodes)
    if CORE in listed:
        listed |= set(shipped_catalogue().nodes)
    refused = sorted({node["class_type"] for node in graph.values()} - listed)
    if refused:
        more = f" and {len(refused) - 10} more" if len(refused) > 10 else ""
        raise BadRequest(
            f"Over HTTP a graph of your own may only use listed node classes; not listed: "
            f"{', '.join(name[:80] for name in refused[:10])}{more}. Run one of the named workflows "
            "(list_workflows), or ask the operator to add these classes to allowed_nodes in comfygen.yaml "
            "('core' stands for all of ComfyUI's own)."
        )
