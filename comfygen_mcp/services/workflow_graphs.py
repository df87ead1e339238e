"""A caller's own graph, from JSON, a file of the editor or a picture, checked before anything is sent."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from comfygen_mcp.backends.hosts import HostSource
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.errors import BackendUnreachable, BadRequest, BadWorkflow, UnexpectedReply
from comfygen_mcp.graph.carried import graph_in_picture
from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.check import check_links, validate
from comfygen_mcp.graph.editor_format import editor_classes, from_editor, is_editor_format
from comfygen_mcp.graph.parse import (
    MOST_NODES,
    Workflow,
    check_name,
    check_names,
    custom_workflow,
    parse_workflow,
    too_many_nodes,
)
from comfygen_mcp.graph.shown import bare
from comfygen_mcp.models import Graph, JsonValue
from comfygen_mcp.services.catalogue import answering
from comfygen_mcp.services.references import References, Stored

T = TypeVar("T")

_FILE = "graph.json"
"""What a graph that came with a request is called in messages."""
_RUN_KEYS = ("class_type", "inputs", "_meta")
"""What is run of a node that a picture carries; the rest is the server's own, and may be no JSON."""


class CallersGraphs:
    """Reads graphs that callers bring along; *source* is the host whose node classes they are made of."""

    def __init__(
        self, *, source: HostSource, nodes: NodeClasses, references: References, stored: Stored
    ) -> None:
        self._source = source
        self._nodes = nodes
        self._references = references
        self._stored = stored

    async def read(self, raw: Mapping[str, JsonValue]) -> Workflow:
        """Return the graph of *raw*, which is in API or in editor format; raises BadWorkflow."""
        if not is_editor_format(dict(raw)):
            _check_number(len(raw))
            return parse_workflow(json.dumps(dict(raw)), file=_FILE)
        _check_number(len(raw["nodes"]))
        classes = editor_classes(raw)
        for class_type in classes:
            check_name("the node class", class_type, _FILE)
        graph = await self._judged(classes, await self._asked(classes), partial(from_editor, raw))
        check_names(graph, _FILE)
        _check_number(len(graph))
        return custom_workflow(graph)

    async def of_picture(self, reference: str, *, any_path: bool, visible_to: str | None = None) -> Workflow:
        """Return the graph that made the picture; raises BadRequest when it carries none."""
        found = await self._references.read(reference, any_path=any_path, visible_to=visible_to)
        carried = graph_in_picture(found.data)
        if carried is not None:
            return await self.read(_runnable(carried.graph) if carried.graph else carried.editor or {})
        if found.generation_id is not None:
            return custom_workflow((await self._stored.find(found.generation_id)).graph)
        raise BadRequest(
            f"The picture {found.name[:80]!r} carries no ComfyUI graph: something else made or saved it, or "
            "its metadata was removed. Use the file as ComfyUI wrote it."
        )

    async def check(self, graph: Graph) -> None:
        """Raise BadWorkflow for links that lead nowhere or in a circle, and for classes the host lacks."""
        classes = _classes(graph)
        asked = await self._asked(classes)
        if asked is not None:
            self._refuse_unknown(graph, asked)
        await self._judged(classes, asked, partial(check_links, graph))

    async def known(self, graph: Graph) -> Catalogue:
        """Return the node classes of *graph* as the host declares them; the shipped ones while it is away."""
        return await self._asked(_classes(graph)) or shipped_catalogue()

    async def judged(self, graph: Graph, judge: Callable[[Catalogue], T]) -> T:
        """Return what *judge* makes of what is `known`; a refusal counts once the host was asked anew."""
        classes = _classes(graph)
        return await self._judged(classes, await self._asked(classes), judge)

    async def _judged(
        self, classes: Iterable[str], asked: Catalogue | None, judge: Callable[[Catalogue], T]
    ) -> T:
        """Judge by *asked*, what the host may have said hours ago, then by what it says now."""
        try:
            return judge(asked or shipped_catalogue())
        except (BadRequest, BadWorkflow):
            fresh = await self._asked(classes, fresh=True) if asked else None
            if fresh is None:
                raise
        return judge(fresh)

    def _refuse_unknown(self, graph: Graph, catalogue: Catalogue) -> None:
        found = validate(graph, catalogue)
        unknown = [problem for problem in found if problem.type == "missing_node_type"]
        if unknown:
            lines = [f"- node {bare(problem.node)}: {problem.message}" for problem in unknown[:10]]
            lines += [f"... and {len(unknown) - 10} more nodes"] if len(unknown) > 10 else []
            raise BadWorkflow(
                f"{len(unknown)} of the {len(graph)} nodes cannot run at {self._source.address}:\n"
                + "\n".join(lines)
                + "\nInstall their node packs there, update ComfyUI, or run another workflow."
            )

    async def _asked(self, class_types: Iterable[str], *, fresh: bool = False) -> Catalogue | None:
        try:
            async with answering(self._source.address):
                host = await self._source.host()
                return await self._nodes.for_classes(host, class_types, fresh=fresh)
        except (BackendUnreachable, UnexpectedReply):
            return None


def _classes(graph: Graph) -> list[str]:
    return [node["class_type"] for node in graph.values()]


def _check_number(nodes: int) -> None:
    if nodes > MOST_NODES:
        raise BadRequest(too_many_nodes(nodes))


def _runnable(graph: dict[str, JsonValue]) -> dict[str, JsonValue]:
    nodes = {
        node_id: cast("dict[str, Any]", node) for node_id, node in graph.items() if isinstance(node, dict)
    }
    return {
        node_id: {key: value for key, value in node.items() if key in _RUN_KEYS}
        for node_id, node in nodes.items()
    }
