"""The ComfyUI backend: every model behind one adapter, because workflows are data."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path

from comfygen_mcp.backends.base import Collected, Prepared
from comfygen_mcp.backends.hosts import Clients, HostSource
from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.backends.node_classes import NodeClasses
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.errors import BackendUnreachable, JobTimeout, UnexpectedReply
from comfygen_mcp.graph.hash import graph_sha256
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.parse import Workflow, custom_workflow
from comfygen_mcp.models import Host, HostFacts, InputFile, Job, Progress, Ticket

CANCEL_BOUND_S = 15.0
"""How long a cancelled submit may take to withdraw what it may have handed over."""
WITHDRAW_LOOKS_S = 6.0
"""How long such a prompt is looked for: a server may have read it and queue it only seconds later."""
WITHDRAW_PAUSE_S = 0.25


class ComfyUIBackend:
    """Jobs for one configured backend; the prompt_id on the server is the job's own id."""

    def __init__(
        self,
        name: str,
        *,
        source: HostSource,
        clients: Clients,
        library: WorkflowLibrary,
        nodes: NodeClasses,
        shelf: InputShelf,
    ) -> None:
        self._name = name
        self._source = source
        self._clients = clients
        self._library = library
        self._nodes = nodes
        self._shelf = shelf

    @property
    def name(self) -> str:
        return self._name

    @property
    def backend_type(self) -> str:
        return "comfyui"

    async def prepare(self, job: Job) -> Prepared:
        workflow = workflow_of(job, self._library)
        host = await self._source.host()
        self._clients.of(host)
        graph = await self._nodes.built(host, job, workflow)
        return Prepared(
            job=job,
            host=host.url,
            graph=graph,
            graph_sha256=graph_sha256(graph),
            requires=workflow.metadata.requires,
        )

    async def submit(self, prepared: Prepared) -> Ticket:
        job = prepared.job
        client = await self._client(prepared.host)
        for file in job.inputs:
            await self._upload(client, file)
        sending = asyncio.Event()
        try:
            submission = await client.submit(
                prepared.graph, prompt_id=job.id, requires=prepared.requires, sending=sending
            )
        except asyncio.CancelledError:
            if sending.is_set() and await _withdraw(client, job.id):
                raise asyncio.CancelledError("It was stopped on its host.") from None
            raise
        return Ticket(
            job_id=job.id,
            backend=self._name,
            host=prepared.host,
            remote_id=submission.prompt_id,
            client_id=submission.client_id,
            graph=prepared.graph,
            graph_sha256=prepared.graph_sha256,
            submitted_at=datetime.now(UTC),
        )

    async def follow(self, ticket: Ticket, *, timeout_s: float) -> AsyncGenerator[Progress, None]:
        client = await self._client(ticket.host)
        steps = client.follow(ticket.remote_id, graph=ticket.graph, timeout_s=timeout_s)
        async with aclosing(steps):
            async for step in steps:
                yield step

    async def collect(self, ticket: Ticket, into: Path) -> Collected:
        client = await self._client(ticket.host)
        remotes = await client.outputs(ticket.remote_id)
        facts = asyncio.create_task(_facts(client))
        try:
            outputs = [await client.fetch(remote, into, index=index) for index, remote in enumerate(remotes)]
            timings = await client.timings(ticket.remote_id)
            return Collected(
                outputs=tuple(outputs),
                facts=await facts,
                queued_ms=timings.queued_ms,
                running_ms=timings.running_ms,
            )
        finally:
            facts.cancel()

    async def cancel(self, ticket: Ticket) -> bool:
        return await (await self._client(ticket.host)).cancel(ticket.remote_id)

    async def _upload(self, client: ComfyUI, file: InputFile) -> None:
        """Upload under the name that the graph has; the server keeps a file of the same name and bytes."""
        folder, _, name = file.name.rpartition("/")
        data = await self._shelf.read(file)
        stored = await client.upload_image(data, name, subfolder=folder)
        if stored != file.name:
            # Only a damaged copy can have other bytes under a name that is the hash of these.
            await client.upload_image(data, name, subfolder=folder, overwrite=True)

    async def _client(self, url: str) -> ComfyUI:
        """Return the client of *url*: signed in as the configuration says when it is this backend's host."""
        if self._source.configured:
            host = await self._source.host()
            if host.url == url:
                return self._clients.of(host)
        return self._clients.of(Host(url=url))


def workflow_of(job: Job, library: WorkflowLibrary) -> Workflow:
    """Return the workflow of *job*: the graph that it brings along, or the file that it names."""
    return custom_workflow(job.graph) if job.graph else library.load(job.workflow, allow_paths=True)


async def _withdraw(client: ComfyUI, prompt_id: str) -> bool:
    """Take back a prompt whose submission was cut short: it may have arrived, or be about to.

    Return whether it was found and stopped.
    """
    return await asyncio.shield(_cancel_when_found(client, prompt_id))


async def _cancel_when_found(client: ComfyUI, prompt_id: str) -> bool:
    """Look for the prompt again and again until it was stopped or has ended, for a bounded time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHDRAW_LOOKS_S
    with suppress(TimeoutError, JobTimeout, UnexpectedReply):
        async with asyncio.timeout(CANCEL_BOUND_S):
            while loop.time() < deadline:
                # A host that does not answer just now may have it all the same.
                with suppress(BackendUnreachable):
                    if await client.cancel(prompt_id):
                        return True
                    if await client.history(prompt_id) is not None:
                        return False
                await asyncio.sleep(WITHDRAW_PAUSE_S)
    return False


async def _facts(client: ComfyUI) -> HostFacts:
    """Ask the host about itself; whatever it does not tell stays None."""
    try:
        return await client.system_stats()
    except (BackendUnreachable, UnexpectedReply):
        return HostFacts()
