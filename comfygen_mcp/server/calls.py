"""Tool calls under way: counted so that a shutdown can wait for them, timed, and told to whoever watches."""

import asyncio
import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from mcp.server.mcpserver.exceptions import ToolError

from comfygen_mcp.errors import ComfygenError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndedCall:
    """One answered tool call; *error_type* names our exception, when one of ours ended it."""

    tool: str
    outcome: Literal["ok", "error", "cancelled"]
    seconds: float
    error_type: str | None = None


class Calls:
    """Counts the running calls; after `close` new ones are refused."""

    def __init__(self, on_end: Callable[[EndedCall], None] | None = None) -> None:
        self._on_end = on_end
        self.running = 0
        self.closed = False

    def close(self) -> None:
        self.closed = True

    @contextmanager
    def one(self, tool: str) -> Generator[None]:
        """Surround one call of *tool*; raises ToolError when the server is going down."""
        if self.closed:
            raise ToolError("The server is shutting down. Call again when it is back.")
        began = time.monotonic()
        self.running += 1
        try:
            yield
        except asyncio.CancelledError:
            self._ended(EndedCall(tool, "cancelled", time.monotonic() - began))
            raise
        except ToolError as error:
            self._ended(EndedCall(tool, "error", time.monotonic() - began, _type_of(error)))
            raise
        else:
            self._ended(EndedCall(tool, "ok", time.monotonic() - began))
        finally:
            self.running -= 1

    def _ended(self, call: EndedCall) -> None:
        fields = {
            "tool": call.tool,
            "outcome": call.outcome,
            "error_type": call.error_type,
            "duration_ms": round(call.seconds * 1000),
        }
        _log.info("tool call ended", extra=fields)
        if self._on_end is not None:
            self._on_end(call)


def _type_of(error: ToolError) -> str | None:
    cause = error.__cause__
    return type(cause).__name__ if isinstance(cause, ComfygenError) else None
