"""The name of a graph: SHA-256 over its canonical JSON."""

import hashlib
import json

from comfygen_mcp.models import Graph


def graph_sha256(graph: Graph) -> str:
    """Return the hash of *graph*; the order of nodes and inputs does not matter, types do (1 is not 1.0)."""
    text = json.dumps(graph, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
