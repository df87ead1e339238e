"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do."""

import asyncio
import selectors


class JumpingLoop(asyncio.SelectorEventLoop):
    """For code that waits for time alone: minutes pass at once, and in order."""

    def __init__(self):
        self._ahead_s = 0.0
        super().__init__(_Impatient(self))

    def time(self):
        return super().time() + self._ahead_s

    def jump(self, seconds):
        self._ahead_s += seconds


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        found = super().select(None if timeout is None else 0)
        if not found and timeout:
            self._loop.jump(timeout)
        return found
