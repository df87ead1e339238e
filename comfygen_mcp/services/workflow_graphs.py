"""A caller's own graph, from JSON, a file of the editor or a picture, checked before anything is sent."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BackendUnreachable, BadRequest, BadWorkflow, UnexpectedReply
from comfygen_mcp.graph.carried import graph_in_picture
from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.editor_format import editor_classes, from_editor, is_editor_format
from comfygen_mcp.graph.parse import Workflow, custom_workflow, parse_workflow
from comfygen_mcp.models import Graph, JsonValue
from comfygen_mcp.services.catalogue import answering
from comfygen_mcp.services.references import References

MOST_NODES = 2000
"""Large drawn workflows have some hundred; ComfyUI looks at every node before it answers."""

_RUN_KEYS = ("class_type", "inputs", "_meta")
"""What is run of a node that a picture carries; the rest is the server's own, and may be no JSON."""


class CallersGraphs:
    """Reads graphs that callers bring along; *source* is the host whose node classes they are made of."""

    def __init__(
        self, *, source: HostSource, nodes: NodeClasses, references: References, archive: Archive
    ) -> None:
        self._source = source
        self._nodes = nodes
        self._references = references
        self._archive = archive

    async def read(self, raw: Mapping[str, JsonValue]) -> Workflow:
        """Return the graph of *raw*, which is in API or in editor format; raises BadWorkflow."""
        if is_editor_format(dict(raw)):
            _check_number(len(raw["nodes"]))
            known = await self._asked(editor_classes(raw)) or shipped_catalogue()
            workflow = custom_workflow(from_editor(raw, known))
        else:
            _check_number(len(raw))
            workflow = parse_workflow(json.dumps(dict(raw)), file="graph.json")
        _check_number(len(workflow.graph))
        return workflow

    async def of_picture(self, reference: str, *, any_path: bool) -> Workflow:
        """Return the graph that made the picture; raises BadRequest when it carries none."""
        found = await self._references.read(reference, any_path=any_path)
        carried = graph_in_picture(found.data)
        if carried is not None:
            return await self.read(_runnable(carried.graph) if carried.graph else carried.editor or {})
        if found.generation_id is not None:
            return custom_workflow((await self._archive.find(found.generation_id)).graph)
        raise BadRequest(
            f"The picture {found.name[:80]!r} carries no ComfyUI graph: something else made or saved it, or "
            "its metadata was removed. Use the file as ComfyUI wrote it."
        )

    async def check(self, graph: Graph) -> None:
        """Raise BadWorkflow for links that lead nowhere or in a circle, and for classes the host lacks."""
        asked = await self._asked(_classes(graph))
        found = validate(graph, asked) if asked else ()
        unknown = [problem for problem in found if problem.type == "missing_node_type"]
        if unknown:
            lines = [f"- node {problem.node}: {problem.message}" for problem in unknown[:10]]
            lines += [f"... and {len(unknown) - 10} more nodes"] if len(unknown) > 10 else []
            raise BadWorkflow(
                f"{len(unknown)} of the {len(graph)} nodes cannot run at {self._source.address}:\n"
                + "\n".join(lines)
                + "\nInstall their node packs there, update ComfyUI, or run another workflow."
            )
        check_links(graph, asked or shipped_catalogue())

    async def known(self, graph: Graph) -> Catalogue:
        """Return the node classes of *graph* as the host declares them; the shipped ones while it is away."""
        return await self._asked(_classes(graph)) or shipped_catalogue()

    async def _asked(self, class_types: Iterable[str]) -> Catalogue | None:
        try:
            async with answering(self._source.address):
                return await self._nodes.for_classes(await self._source.host(), class_types)
        except (BackendUnreachable, UnexpectedReply):
            return None


def _classes(graph: Graph) -> list[str]:
    return [node["class_type"] for node in graph.values()]


def _check_number(nodes: int) -> None:
    if nodes > MOST_NODES:
        raise BadRequest(
            f"The graph has {nodes} nodes; at most {MOST_NODES} are run. Split it, or leave out what "
            "leads to no output."
        )


def _runnable(graph: dict[str, JsonValue]) -> dict[str, JsonValue]:
    nodes = {
        node_id: cast("dict[str, Any]", node) for node_id, node in graph.items() if isinstance(node, dict)
    }
    return {
        node_id: {key: value for key, value in node.items() if key in _RUN_KEYS}
        for node_id, node in nodes.items()
    }
