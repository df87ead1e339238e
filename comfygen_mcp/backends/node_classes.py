"""Node classes as a server declares them, asked class by class: whole catalogues may have 100 MB."""

import asyncio
from collections.abc import Iterable

from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.errors import BackendUnreachable, BadRequest, BadWorkflow, UnexpectedReply
from comfygen_mcp.graph.build import build_graph
from comfygen_mcp.graph.catalogue import Catalogue, NodeSpec, parse_object_info, shipped_catalogue
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.models import Graph, Host, Job, Scalar
from comfygen_mcp.together import together

AT_ONCE = 8
"""Requests to one server at a time."""


class NodeClasses:
    """What the servers of these clients can run; the clients remember what was asked before."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def for_graph(
        self, host: Host, graph: Graph, *, also: Iterable[str] = (), fresh: bool = False
    ) -> Catalogue:
        """Return the shipped classes, with those of *graph* and *also* as *host* declares them.

        A class that the server does not have is absent, whoever else knows it.
        """
        return await self.for_classes(host, (*_classes(graph), *also), fresh=fresh)

    async def for_classes(self, host: Host, class_types: Iterable[str], *, fresh: bool = False) -> Catalogue:
        """Return the shipped classes, with *class_types* as *host* declares them, or without."""
        wanted = tuple(dict.fromkeys(class_types))
        declared = await self._declared(host, wanted, fresh=fresh)
        others = {name: spec for name, spec in shipped_catalogue().nodes.items() if name not in wanted}
        return Catalogue({**others, **declared})

    async def known(self, host: Host, graph: Graph) -> Catalogue:
        """Return the shipped classes, and besides what only *host* can tell of the classes in *graph*."""
        shipped = shipped_catalogue()
        strangers = tuple(name for name in _classes(graph) if name not in shipped)
        return shipped.merged(Catalogue(await self._declared(host, strangers, fresh=False)))

    async def built(self, host: Host, job: Job, workflow: Workflow) -> Graph:
        """Return the graph of *job* for *host*; raises BadWorkflow or BadRequest when it cannot be built.

        What the shipped classes refuse, those of the server may allow: it is asked before that counts.
        """
        try:
            return build_graph(job, workflow, await self.known(host, workflow.graph))
        except (BadRequest, BadWorkflow) as refusal:
            try:
                declared = await self.for_graph(host, workflow.graph, fresh=True)
            except (BackendUnreachable, UnexpectedReply):
                raise refusal from None
        return build_graph(job, workflow, shipped_catalogue().merged(declared))

    async def options(self, host: Host, class_type: str, input_name: str) -> tuple[Scalar, ...]:
        """Return the choices of one input on *host*: its samplers, its schedulers; () where it has none."""
        spec = (await self._declared(host, (class_type,), fresh=False)).get(class_type)
        wanted = spec.inputs.get(input_name) if spec else None
        return (wanted.options or ()) if wanted else ()

    async def _declared(
        self, host: Host, class_types: tuple[str, ...], *, fresh: bool
    ) -> dict[str, NodeSpec]:
        client = self._clients.of(host)
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(class_type: str) -> NodeSpec | None:
            async with places:
                declared = await client.object_info(class_type, fresh=fresh)
            return parse_object_info({class_type: dict(declared)}).get(class_type)

        specs = await together(ask(class_type) for class_type in class_types)
        return {spec.class_type: spec for spec in specs if spec}


def _classes(graph: Graph) -> tuple[str, ...]:
    """Return the classes in *graph*; a placeholder in place of a class is none."""
    names = dict.fromkeys(node["class_type"] for node in graph.values())
    return tuple(name for name in names if not name.startswith("${"))
