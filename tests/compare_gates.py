"""Engines whose `POST /prompt` waits for something, so that a comparison can be met at a chosen point."""

import asyncio
import threading
from contextlib import contextmanager

from engine_server import EngineServer

BOUND_S = 30.0


class Gate:
    """Lets prompts through while *open_for* allows it; *counted* tells how many came."""

    def __init__(self, open_for):
        self.open_for = open_for
        self.counted = 0

    def layer(self, app):
        async def gated(scope, receive, send):
            if (scope.get("method"), scope.get("path")) == ("POST", "/prompt"):
                self.counted += 1
                async with asyncio.timeout(BOUND_S):
                    while not self.open_for(self.counted):
                        await asyncio.sleep(0.01)
            await app(scope, receive, send)

        return gated


class Meeting:
    """Gates that open once something waits, or has been, at each of them."""

    def __init__(self, count):
        self.gates = [Gate(self._all_came) for _ in range(count)]

    def _all_came(self, _):
        return all(gate.counted for gate in self.gates)


class Held:
    """A gate for the first *free* prompts, and for all once it is released."""

    def __init__(self, free):
        self.released = threading.Event()
        self.gate = Gate(lambda number: number <= free or self.released.is_set())


@contextmanager
def engine_behind(gate, **options):
    with EngineServer(wrap=gate.layer, **options) as server:
        yield server
