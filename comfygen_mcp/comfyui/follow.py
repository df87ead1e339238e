"""Following one prompt to its end: socket events drive, `/history` decides, every wait is bounded."""

import asyncio
from collections.abc import AsyncGenerator, Container
from dataclasses import dataclass

from comfygen_mcp.comfyui.events import Ended, Event, QueueChanged, read_event
from comfygen_mcp.comfyui.failure import vanished
from comfygen_mcp.comfyui.history import History, ask_history
from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.meter import ProgressMeter
from comfygen_mcp.comfyui.queue import QueueState, ask_queue
from comfygen_mcp.comfyui.rhythm import Rhythm
from comfygen_mcp.comfyui.socket import Socket, open_socket
from comfygen_mcp.comfyui.unreachable import address
from comfygen_mcp.errors import BackendUnreachable, JobTimeout, UnexpectedReply
from comfygen_mcp.models import Graph, Progress


@dataclass(frozen=True, slots=True)
class Followed:
    """Which prompt to follow, its graph (for phases and fractions), and whether we cancelled it."""

    prompt_id: str
    graph: Graph | None
    cancelled: Container[str]


class PromptWatch:
    """The state of following one prompt; *socket* is the one that it was submitted under, if still open."""

    def __init__(self, http: Http, followed: Followed, socket: Socket | None) -> None:
        self._http = http
        self._followed = followed
        self._socket = socket
        self._meter = ProgressMeter(followed.graph)
        self._rhythm = Rhythm(http.timing, asyncio.get_running_loop().time(), live=socket is not None)
        self.history: History | None = None

    async def progress(self, timeout_s: float) -> AsyncGenerator[Progress, None]:
        """Yield every change until history is there; after *timeout_s* JobTimeout: the caller stops it."""
        told = self._meter.now
        yield told
        deadline = self._now() + timeout_s
        while self.history is None:
            now = await self._step_before(deadline, timeout_s)
            if now != told:
                told = now
                yield told

    def finished(self) -> Progress:
        return self._meter.finished()

    async def aclose(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def _step_before(self, deadline: float, timeout_s: float) -> Progress:
        """Take one step; at the deadline history is asked a last time, for the socket may have been deaf."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._step()
        except TimeoutError:
            self.history = await self._last_look()
            if self.history is None:
                raise self._timed_out(timeout_s) from None
            return self._meter.now

    async def _step(self) -> Progress:
        if self._rhythm.poll_due(self._now()):
            return await self._poll()
        if self._socket is None and self._rhythm.connect_due(self._now()):
            await self._connect()
            return self._meter.now
        return await self._listen()

    async def _listen(self) -> Progress:
        wait = self._rhythm.wait_s(self._now(), connected=self._socket is not None)
        if self._socket is None:
            await asyncio.sleep(wait)
            return self._meter.now
        try:
            message = await self._socket.receive(wait)
        except ConnectionError:
            await self.aclose()
            self._rhythm.socket_lost(self._now())
            return self._meter.now
        event = read_event(message, self._followed.prompt_id) if message else None
        return self._take(event) if event else self._meter.now

    def _take(self, event: Event) -> Progress:
        """Let an event move the progress, or tell that it is time to ask history."""
        if isinstance(event, Ended):
            self._rhythm.ended(self._now(), last=event.last)
        elif isinstance(event, QueueChanged) and self._queue_tells_more():
            self._rhythm.hurry(self._now())
            return self._meter.now
        return self._meter.take(event, self._now())

    def _queue_tells_more(self) -> bool:
        """Without events of our own, or once cancelled, a change of the queue is a reason to look."""
        return not self._rhythm.live or self._followed.prompt_id in self._followed.cancelled

    async def _connect(self) -> None:
        """Open a socket under a fresh id: it hears no events of the prompt, but every change of the queue."""
        self._socket = await open_socket(self._http.host, self._http.timing)
        self._rhythm.connected(self._now(), success=self._socket is not None)

    async def _poll(self) -> Progress:
        prompt_id = self._followed.prompt_id
        try:
            self.history = await ask_history(self._http, prompt_id)
            queue = await ask_queue(self._http) if self._asks_queue() else None
        except (BackendUnreachable, UnexpectedReply):
            if self._rhythm.outage_over(self._now()):
                raise
            return self._meter.answers(yes=False)
        self._rhythm.polled(self._now())
        now = self._meter.answers(yes=True)
        return now if queue is None else self._place(queue)

    def _asks_queue(self) -> bool:
        return self.history is None and not self._rhythm.expects_history

    def _place(self, queue: QueueState) -> Progress:
        """Report where the prompt stands in *queue*; raises when it is gone for good."""
        prompt_id = self._followed.prompt_id
        if prompt_id not in queue:
            if self._rhythm.missed_again(self._now()):
                raise vanished(prompt_id, cancelled=prompt_id in self._followed.cancelled)
            return self._meter.now
        self._rhythm.seen()
        ahead = queue.ahead_of(prompt_id)
        return self._meter.running() if ahead is None else self._meter.queued(ahead)

    async def _last_look(self) -> History | None:
        try:
            async with asyncio.timeout(self._http.timing.connect_s):
                return await ask_history(self._http, self._followed.prompt_id)
        except (TimeoutError, BackendUnreachable, UnexpectedReply):
            return None

    def _timed_out(self, timeout_s: float) -> JobTimeout:
        stands = self._meter.now.message
        return JobTimeout(
            f"Prompt {self._followed.prompt_id} on {address(self._http.host)} did not finish within "
            f"{timeout_s:g} s (last seen: {stands}), so it was stopped there. If it needs longer, raise "
            "`timeout_s` in this backend's block of comfygen.yaml, or `timeout_image_s` for all."
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
