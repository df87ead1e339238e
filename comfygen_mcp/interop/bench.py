"""What every check works with: one server, prompts and files of our own, and a note of all of them."""

import re
import uuid
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.outputs import Remote, RemoteFile
from comfygen_mcp.comfyui.queue import QueueState
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.interop.journal import Journal
from comfygen_mcp.models import Graph, Host, HostFacts, Output, Progress

INTERRUPTS_BY_ID = (0, 3, 56)
"""Older servers stop whatever runs, whosever it is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for: *model* is a checkpoint and *lora* a LoRA on the server; each run is bounded."""

    id: str
    model: str | None = None
    lora: str | None = None
    timeout_s: float = 300.0
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True)
class Finished:
    """A prompt that has run: what it made, fetched, and every progress record on the way."""

    prompt_id: str
    outputs: tuple[Output, ...]
    progress: tuple[Progress, ...]


class Bench:
    """One server under examination; *outputs* and *inputs* are the files that we left there."""

    def __init__(self, client: ComfyUI, http: Http, *, plan: Plan, journal: Journal, folder: Path) -> None:
        self.client = client
        self.http = http
        self.plan = plan
        self.journal = journal
        self.facts = HostFacts()
        self.catalogue: Catalogue | None = None
        self.sampled: Output | None = None
        self.before = QueueState()
        self.ours: list[str] = []
        self.outputs: list[str] = []
        self.inputs: list[str] = []
        self.folder = folder
        self._fetched = 0

    async def look(self) -> None:
        """Note what the server is and who else uses it; raises BackendUnreachable or UnexpectedReply."""
        self.facts = await self.client.system_stats()
        self.before = await self.client.queue()

    def prefix(self, name: str) -> str:
        """Return a file name prefix that no other run ever used."""
        return f"comfygen-check/{self.plan.id}/{name}"

    def lacking(self, classes: Iterable[str]) -> str | None:
        """Return the first of *classes* that the server does not have."""
        known = self.catalogue
        return None if known is None else next((name for name in classes if name not in known), None)

    @property
    def interrupts_by_id(self) -> bool:
        return _version(self.facts.comfyui_version) >= INTERRUPTS_BY_ID

    def claim(self, prompt_id: str, graph: Graph) -> str:
        """Note a prompt as ours, before it is handed over."""
        self.ours.append(prompt_id)
        self.journal.note("submit", prompt_id=prompt_id, graph=graph)
        return prompt_id

    async def submit(self, graph: Graph) -> str:
        """Hand *graph* over at the end of the queue; returns its prompt id."""
        prompt_id = self.claim(new_prompt_id(), graph)
        await self.client.submit(graph, prompt_id=prompt_id)
        return prompt_id

    async def run(self, graph: Graph) -> Finished:
        """Run *graph* to its end and fetch what it made."""
        return await self.finish(await self.submit(graph))

    async def finish(self, prompt_id: str) -> Finished:
        """Follow a prompt to its end and fetch what it made."""
        progress: list[Progress] = []
        following = self.client.follow(prompt_id, timeout_s=self.plan.timeout_s)
        async with aclosing(following) as steps:
            progress.extend([step async for step in steps])
        return Finished(prompt_id, await self.collect(prompt_id), tuple(progress))

    async def begun(self, prompt_id: str) -> bool:
        """Follow a prompt until it runs; False when it ended before that was seen."""
        following = self.client.follow(prompt_id, timeout_s=self.plan.timeout_s)
        async with aclosing(following) as steps:
            async for step in steps:
                if step.phase != "queued":
                    return step.message != "finished"
        return False

    async def collect(self, prompt_id: str) -> tuple[Output, ...]:
        """Fetch every output of a finished prompt, under names that are never used twice."""
        remotes = await self.client.outputs(prompt_id)
        self.outputs += [_path(r) for r in remotes if isinstance(r, RemoteFile) and r.type == "output"]
        return tuple([await self._fetch(remote) for remote in remotes])

    async def upload(self, data: bytes, name: str) -> str:
        """Upload an input into our own subfolder; returns the value for a LoadImage node."""
        value = await self.client.upload_image(data, name, subfolder=self.prefix("in"))
        self.inputs.append(value)
        return value

    async def withdraw(self) -> None:
        """Stop what still waits or runs of ours; nobody else's prompt is touched, on any version."""
        queue = await self.client.queue()
        for prompt_id in self.ours:
            if prompt_id in queue.pending or (prompt_id in queue.running and self.interrupts_by_id):
                await self.client.cancel(prompt_id)

    async def forget(self) -> None:
        """Take our own prompts out of the server's history."""
        if self.ours:
            await self.http.post("/history", {"delete": self.ours})

    async def _fetch(self, remote: Remote) -> Output:
        self._fetched += 1
        return await self.client.fetch(remote, self.folder, index=self._fetched)


@asynccontextmanager
async def open_bench(host: Host, plan: Plan, journal: Journal) -> AsyncGenerator[Bench]:
    """Open a bench; leaving it closes connections and removes what was fetched."""
    http = Http(host, plan.timing)
    try:
        with TemporaryDirectory(prefix="comfygen-check-") as folder:
            async with ComfyUI(host, timing=plan.timing) as client:
                yield Bench(client, http, plan=plan, journal=journal, folder=Path(folder))
    finally:
        await http.aclose()


def new_prompt_id() -> str:
    return str(uuid.uuid4())


def _version(text: str | None) -> tuple[int, ...]:
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text or "")
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _path(remote: RemoteFile) -> str:
    return f"{remote.subfolder}/{remote.filename}" if remote.subfolder else remote.filename
