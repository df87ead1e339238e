"""The engine itself: its files, queue, sockets and the one worker, apart from HTTP."""

import asyncio
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from comfygen_mcp.engine.activity import Activity
from comfygen_mcp.engine.events import RunEvents
from comfygen_mcp.engine.executor import Executor
from comfygen_mcp.engine.folders import Folders
from comfygen_mcp.engine.hub import Hub
from comfygen_mcp.engine.model_files import ModelFiles
from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.options import EngineOptions
from comfygen_mcp.engine.prompt_queue import PromptQueue, QueueItem


class Engine:
    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self.dialect = options.dialect
        self.folders = Folders(options.folder)
        self.models = ModelFiles(options.folder / "models", options.models)
        self.nodes = registry(self.dialect)
        self.hub = Hub()
        self.queue = PromptQueue(changed=self.tell_status)
        self.executor = Executor(self.nodes, self.folders, step_s=options.step_ms / 1000)
        self.activity = Activity(is_busy=lambda: self.queue.remaining > 0)
        self.current: RunEvents | None = None
        self._free_requested = False

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Sweep old files, then work until left; a running prompt is interrupted and lost."""
        self.folders.create()
        await asyncio.to_thread(self.folders.sweep)
        tasks = [asyncio.create_task(self.hub.publish()), asyncio.create_task(self._work())]
        if self.options.idle_s is not None:
            tasks.append(asyncio.create_task(self.activity.watch(self.options.idle_s)))
        try:
            yield
        finally:
            self.executor.close()
            for task in reversed(tasks):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def status(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": self.queue.remaining}}

    def tell_status(self) -> None:
        self.hub.post("status", {"status": self.status()}, None)

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop what is running, or only *prompt_id* if that is running; say whether something was."""
        running = self.queue.running
        if prompt_id and (running is None or running.prompt_id != prompt_id):
            return False
        self.executor.interrupt.set()
        return running is not None

    def free(self) -> None:
        """Forget cached results, now or after the running prompt."""
        if self.queue.running is None:
            self.executor.cache.clear()
        else:
            self._free_requested = True

    async def _work(self) -> None:
        with ThreadPoolExecutor(1, "comfygen-engine") as thread:
            while True:
                item = await self.queue.get()
                await self._run(item, thread)
                self.activity.touch()

    async def _run(self, item: QueueItem, thread: ThreadPoolExecutor) -> None:
        client_id = item.extra_data.get("client_id")
        owner = None if client_id is None else str(client_id)
        events = self.current = RunEvents(self.hub, item.prompt_id, owner)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(thread, self._execute, item, events)
        entry = await asyncio.shield(running)
        await asyncio.sleep(self.options.history_ms / 1000)
        self.queue.done(item, entry)
        events.end()
        if self._free_requested:
            self._free_requested = False
            self.executor.cache.clear()

    def _execute(self, item: QueueItem, events: RunEvents) -> dict[str, Any]:
        method = item.extra_data.get("preview_method")
        previews = self.dialect.previews_per_prompt and method not in {None, "none", "default"}
        return self.executor.run(item, events, previews=previews)


def milliseconds() -> int:
    return int(time.time() * 1000)
