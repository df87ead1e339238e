"""What the suite found: one verdict per check, and what it left behind on the server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from comfygen_mcp.models import Record

if TYPE_CHECKING:
    from comfygen_mcp.interop.bench import Bench

Result: TypeAlias = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Passed:
    """The server did what it should; *detail* says what was seen."""

    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The check could not be done here; *reason* says what is missing."""

    reason: str


Finding: TypeAlias = Passed | Skipped


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the server; skipped when it lacks one of the node classes that *needs* names.

    *ask* returns what it found, and raises a ComfygenError when the server disappoints.
    """

    name: str
    ask: "Callable[[Bench], Awaitable[Finding]]"
    needs: tuple[str, ...] = ()


class Verdict(Record):
    """The end of one check."""

    check: str
    result: Result
    detail: str
    ms: int


class Report(Record):
    """The whole run; *outputs* and *inputs* are the files that it left in the server's folders."""

    id: str
    server: str
    comfyui_version: str | None
    verdicts: tuple[Verdict, ...]
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    log: str = ""

    def count(self, result: Result) -> int:
        return sum(verdict.result == result for verdict in self.verdicts)

    @property
    def failed(self) -> bool:
        return self.count("failed") > 0
