"""The Range header of a request (RFC 9110 §14): which bytes of a file are wanted."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(ValueError):
    """The range begins after the end of the file."""


@dataclass(frozen=True)
class Span:
    """Bytes *first* to *last*, both included, of *size*."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.last}/{self.size}"


def wanted_span(header: str | None, size: int) -> Span | None:
    """Return the one range that *header* asks for; None means the whole file.

    Several ranges, other units and malformed headers are ignored, as the standard allows.
    Raises Unsatisfiable when no byte of the file is in the range.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        span = Span(max(size - int(last), 0), size - 1, size)
    elif last and int(last) < int(first):
        return None
    else:
        span = Span(int(first), min(int(last or size), size - 1), size)
    if span.length < 1 or span.first >= size:
        raise Unsatisfiable(header)
    return span
