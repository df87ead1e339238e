"""What every backend can do: prepare → submit → Ticket → follow → collect, and cancel."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Protocol

from comfygen_mcp.models import Graph, HostFacts, Job, Output, Progress, Record, RequiredFile, Ticket


class Prepared(Record):
    """A job made ready for one host: the filled, checked graph, its hash, and where its files come from.

    The job's input pictures are uploaded when it is submitted.
    """

    job: Job
    host: str
    graph: Graph
    graph_sha256: str
    requires: tuple[RequiredFile, ...] = ()


class Collected(Record):
    """All outputs of a finished job, on this machine, and what the host told about the run."""

    outputs: tuple[Output, ...]
    facts: HostFacts
    queued_ms: int | None = None
    running_ms: int | None = None


class Backend(Protocol):
    """An outside way of making pictures; every step may be repeated from its argument alone.

    A `Ticket` is plain JSON, so that another process can follow, collect or cancel what this one submitted.
    """

    @property
    def name(self) -> str: ...

    @property
    def backend_type(self) -> str:
        """`comfyui`, `replicate` ...: what a sidecar calls this kind of backend."""
        ...

    async def prepare(self, job: Job) -> Prepared:
        """Fill and check everything; nothing is sent that costs anything."""
        ...

    async def submit(self, prepared: Prepared) -> Ticket:
        """Hand the job over; raises GraphRejected, MissingModel, BackendUnreachable or UnexpectedReply."""
        ...

    def follow(self, ticket: Ticket, *, timeout_s: float) -> AsyncGenerator[Progress, None]:
        """Yield progress until the job has succeeded; close the generator when you stop early.

        Raises ExecutionFailed, JobCancelled, JobTimeout, BackendUnreachable or UnexpectedReply.
        """
        ...

    async def collect(self, ticket: Ticket, into: Path) -> Collected:
        """Stream every output of a finished job into the folder *into*."""
        ...

    async def cancel(self, ticket: Ticket) -> bool:
        """Stop the job, queued or running; False when it was no longer there to stop."""
        ...
