"""One ComfyUI server: submit a graph, follow it, fetch its outputs, cancel it, ask what is installed."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from comfygen_mcp.comfyui.cancel import stop
from comfygen_mcp.comfyui.catalogue import Catalogue
from comfygen_mcp.comfyui.download import Target, download
from comfygen_mcp.comfyui.failure import failure_of
from comfygen_mcp.comfyui.follow import Followed, PromptWatch
from comfygen_mcp.comfyui.history import History, RunTimes, ask_history
from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.model_metadata import ask_metadata
from comfygen_mcp.comfyui.object_info import DeclarationCache
from comfygen_mcp.comfyui.outputs import Remote, list_outputs
from comfygen_mcp.comfyui.queue import QueueState, ask_queue
from comfygen_mcp.comfyui.socket import Socket, open_socket
from comfygen_mcp.comfyui.submit import Prompt, Submission, hand_over
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.comfyui.upload import upload
from comfygen_mcp.errors import ExecutionFailed
from comfygen_mcp.models import Graph, Host, HostFacts, JsonValue, Output, Progress, RequiredFile

_KEPT_HISTORIES = 32
_KEPT_CANCELS = 256


@dataclass(frozen=True, slots=True)
class _Submitted:
    """What is kept between submit and follow: the socket that gets the events, and the graph."""

    socket: Socket | None
    graph: Graph


class ComfyUI:
    """The client of one host; nothing is opened before the first call, `aclose` closes what is open.

    Every method raises BackendUnreachable when nobody answers and UnexpectedReply when it is no ComfyUI.
    """

    def __init__(
        self, host: Host, *, timing: Timing | None = None, declarations: DeclarationCache | None = None
    ) -> None:
        self.host = host
        self._http = Http(host, timing or Timing())
        self._catalogue = Catalogue(self._http, declarations)
        self._submitted: dict[str, _Submitted] = {}
        self._histories: OrderedDict[str, History] = OrderedDict()
        self._cancelled: deque[str] = deque(maxlen=_KEPT_CANCELS)

    async def submit(
        self,
        graph: Graph,
        *,
        prompt_id: str,
        requires: Sequence[RequiredFile] = (),
        pnginfo: Mapping[str, JsonValue] | None = None,
        previews: bool = False,
        sending: asyncio.Event | None = None,
    ) -> Submission:
        """Hand *graph* over exactly once, under our own *prompt_id*; its socket is open before.

        *requires* tells where missing model files can be found. Raises GraphRejected or MissingModel.
        When this call is cut short after *sending* was set, the prompt may have arrived: `cancel(prompt_id)`
        takes it back.
        """
        socket = await open_socket(self.host, self._http.timing)
        client_id = socket.client_id if socket else prompt_id
        sending = sending or asyncio.Event()
        prompt = Prompt(graph, prompt_id, client_id, requires, pnginfo or {}, previews, sending)
        try:
            submission = await hand_over(self._http, self._catalogue, prompt)
        except BaseException:
            if socket is not None:
                await socket.close()
            raise
        self._submitted[prompt_id] = _Submitted(socket, graph)
        return submission

    async def follow(
        self, submission: Submission | str, *, graph: Graph | None = None, timeout_s: float
    ) -> AsyncGenerator[Progress, None]:
        """Yield progress until history shows success; a prompt of another process may be given by its id.

        Raises ExecutionFailed, JobCancelled or JobTimeout (then stop the prompt: nothing here does).
        Close the iterator when you stop early.
        """
        prompt_id = submission if isinstance(submission, str) else submission.prompt_id
        kept = self._submitted.pop(prompt_id, None)
        known = graph or (kept.graph if kept else None)
        followed = Followed(prompt_id, known, self._cancelled)
        watch = PromptWatch(self._http, followed, kept.socket if kept else None)
        try:
            async with aclosing(watch.progress(timeout_s)) as steps:
                async for step in steps:
                    yield step
            self._conclude(watch.history or await self._finished(prompt_id), known)
            yield watch.finished()
        finally:
            await watch.aclose()

    async def outputs(self, prompt_id: str) -> list[Remote]:
        """List what a finished prompt has made: files of every kind, and texts."""
        return list_outputs((await self._finished(prompt_id)).outputs)

    async def timings(self, prompt_id: str) -> RunTimes:
        """Return how long a finished prompt waited and ran."""
        return (await self._finished(prompt_id)).times

    async def fetch(
        self, remote: Remote, into: Path, *, index: int = 0, max_bytes: int | None = None
    ) -> Output:
        """Stream one output into the folder *into*, under a name of our own that starts with *index*."""
        return await download(self._http, remote, Target(into, index, max_bytes))

    async def cancel(self, prompt_id: str) -> bool:
        """Stop one prompt, queued or running, and wait until it is gone; False when it was not there."""
        if prompt_id not in self._cancelled:
            self._cancelled.append(prompt_id)
        kept = self._submitted.pop(prompt_id, None)
        if kept and kept.socket:
            await kept.socket.close()
        return await stop(self._http, prompt_id)

    async def history(self, prompt_id: str) -> History | None:
        """Return how a prompt ended; None while it has not, and when the server does not know it."""
        return await ask_history(self._http, prompt_id)

    async def queue(self) -> QueueState:
        return await ask_queue(self._http)

    async def models(self, folder: str, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the files installed in `models/<folder>/`, at most a few seconds old."""
        return await self._catalogue.models(folder, refresh=refresh)

    async def metadata(self, folder: str, filename: str) -> Mapping[str, str]:
        """Return what a file of `models/<folder>/` says about itself; empty when it says nothing."""
        return await ask_metadata(self._http, folder, filename)

    async def object_info(self, class_type: str, *, fresh: bool = False) -> Mapping[str, JsonValue]:
        """Return the server's declaration of one node class; empty when it does not have it."""
        return await self._catalogue.node(class_type, fresh=fresh)

    async def system_stats(self) -> HostFacts:
        """Return version, device, VRAM in use, and whether this is the embedded engine."""
        return await self._catalogue.facts()

    async def upload_image(
        self, source: Path | bytes, name: str, *, subfolder: str = "comfygen", overwrite: bool = False
    ) -> str:
        """Upload an input of any media kind; returns the value that LoadImage and its like take."""
        return await upload(self._http, source, name, subfolder=subfolder, overwrite=overwrite)

    async def free(self, *, unload_models: bool = True, free_memory: bool = True) -> None:
        """Let the server release memory after its current prompt."""
        await self._http.post("/free", {"unload_models": unload_models, "free_memory": free_memory})

    async def aclose(self) -> None:
        while self._submitted:
            _, kept = self._submitted.popitem()
            if kept.socket:
                await kept.socket.close()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _conclude(self, history: History, graph: Graph | None) -> None:
        """Keep the history of a success, so that collecting asks nothing again; raise what failed."""
        if failure := failure_of(history, graph):
            raise failure
        self._keep(history)

    async def _finished(self, prompt_id: str) -> History:
        known = self._histories.get(prompt_id) or await ask_history(self._http, prompt_id)
        if known is None:
            raise ExecutionFailed(
                f"Prompt {prompt_id} has no history on the ComfyUI server: it has not finished, or the "
                "server was restarted since. Follow it first, or submit it again."
            )
        self._keep(known)
        return known

    def _keep(self, history: History) -> None:
        self._histories[history.prompt_id] = history
        while len(self._histories) > _KEPT_HISTORIES:
            self._histories.popitem(last=False)
