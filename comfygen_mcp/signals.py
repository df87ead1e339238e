"""Ctrl-C and SIGTERM from the first line to the last: the end at once, or what the running command wants."""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_CANCELLED = 130

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_on_signal(code: int = EXIT_CANCELLED) -> None:
    """From now on a signal ends the process at once with *code*: nothing has begun, or all is done.

    Python's own way, an exception between any two lines, is swallowed by a library now and then, printed with
    its traceback by another, and may end the process as killed although it was caught.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        if code:
            with suppress(OSError):
                os.write(2, b"error: cancelled\n")
        os._exit(code)

    for number in SIGNALS:
        signal.signal(number, leave)


@contextmanager
def on_signal(act: Callable[[], None], *, afterwards: int = EXIT_CANCELLED) -> Generator[None]:
    """Let the running event loop call *act* for every signal; after that they end the process, as above.

    The loop's own way of doing this is missing on Windows, and leaves Python's defaults behind at its end.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        leave_on_signal(afterwards)
