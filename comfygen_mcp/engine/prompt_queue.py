"""The queue of prompts, the one that is running, and the history of those that ran."""

import asyncio
import copy
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_HISTORY = 10_000


@dataclass(order=True)
class QueueItem:
    """A validated prompt; the lowest *number* runs first, equal ones in order of arrival."""

    number: float
    arrival: int
    prompt_id: str = field(compare=False)
    graph: dict[str, Any] = field(compare=False)
    extra_data: dict[str, Any] = field(compare=False)
    outputs: list[str] = field(compare=False)

    def wire(self) -> list[Any]:
        return [self.number, self.prompt_id, self.graph, self.extra_data, self.outputs]


class PromptQueue:
    """Used from the event loop only; *changed* is called after every change of the count."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._arrivals = itertools.count()
        self._pending: list[QueueItem] = []
        self._filled = asyncio.Event()
        self._counter = 0
        self.running: QueueItem | None = None
        self.history: dict[str, dict[str, Any]] = {}

    @property
    def pending(self) -> list[QueueItem]:
        return list(self._pending)

    @property
    def remaining(self) -> int:
        return len(self._pending) + (self.running is not None)

    def next_number(self, *, front: bool) -> int:
        """Return the default priority; the counter also grows for prompts that are then rejected."""
        number = -self._counter if front else self._counter
        self._counter += 1
        return number

    def put(
        self,
        number: float,
        prompt_id: str,
        graph: dict[str, Any],
        extra_data: dict[str, Any],
        outputs: list[str],
    ) -> None:
        item = QueueItem(number, next(self._arrivals), prompt_id, graph, extra_data, outputs)
        heapq.heappush(self._pending, item)
        self._filled.set()
        self._changed()

    async def get(self) -> QueueItem:
        while not self._pending:
            self._filled.clear()
            await self._filled.wait()
        self.running = copy.deepcopy(heapq.heappop(self._pending))
        self._changed()
        return self.running

    def done(self, item: QueueItem, entry: dict[str, Any]) -> None:
        while len(self.history) >= MAX_HISTORY:
            self.history.pop(next(iter(self.history)))
        self.history[item.prompt_id] = {"prompt": item.wire(), **entry}
        self.running = None
        self._changed()

    def delete(self, prompt_id: str) -> bool:
        """Remove one pending prompt without a trace; a running one stays."""
        for index, item in enumerate(self._pending):
            if item.prompt_id == prompt_id:
                del self._pending[index]
                heapq.heapify(self._pending)
                self._changed()
                return True
        return False

    def clear(self) -> None:
        self._pending = []
        self._changed()

    def history_page(self, max_items: int | None, offset: int) -> dict[str, dict[str, Any]]:
        """Return entries oldest first; without an offset (-1) the last *max_items*."""
        if offset < 0 and max_items is not None:
            offset = len(self.history) - max_items
        chosen = list(self.history.items())[max(0, offset) :]
        return dict(chosen if max_items is None else chosen[: max(1, max_items)])
