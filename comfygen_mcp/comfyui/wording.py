"""Words of a server made fit for an agent: one line, no server paths."""

import re

_PART = r"[^\s'\"<>|:,;()\\/]"
_PATH = re.compile(rf"(?<![\w/:.])(?:[A-Za-z]:[\\/]|/)(?:{_PART}+[\\/])+(?P<name>{_PART}*)")


def first_line(message: str, *, limit: int = 300) -> str:
    """Return the first non-empty line of *message*, without server paths."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    line = without_paths(lines[0]) if lines else ""
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_paths(message: str) -> str:
    """Shorten every absolute path to its last part; URLs stay."""
    return _PATH.sub(lambda match: f"…/{match['name']}", message)


def shown(value: object, *, limit: int = 80) -> str:
    """Return `repr` of *value*, cut when it is long."""
    words = repr(value)
    return words if len(words) <= limit else words[: limit - 2] + "…" + words[-1]
