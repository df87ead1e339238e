"""The log: one line per event on standard error, as JSON or as text, with the fields one searches by.

Below `debug` nothing that a caller wrote (prompts) and no secret is logged; other libraries speak only from
`warning` on, because their chatter holds session ids and bodies.
"""

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from comfygen_mcp.errors import BadConfiguration

LogFormat: TypeAlias = Literal["text", "json"]

FIELDS = (
    *("request_id", "job_id", "backend", "host", "tool", "outcome", "method", "route", "status"),
    *("client", "outputs", "error_type", "duration_ms"),
)
"""What a record may carry besides its message, in this order; everything else is left out."""

OURS = "comfygen_mcp"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the HTTP request that is being answered; jobs that it starts inherit it."""


@contextmanager
def logging_to(*, style: LogFormat, file: Path | None) -> Generator[None]:
    """Log to standard error, and to *file* as well, until left; raises BadConfiguration."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if file is not None:
        handlers.append(_file_handler(file))
    for handler in handlers:
        handler.setFormatter(JsonLines() if style == "json" else TextLines())
        handler.addFilter(_with_request_id)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:], root.level = handlers, logging.WARNING
    try:
        yield
    finally:
        root.handlers[:], root.level = before
        for handler in handlers:
            handler.close()


def set_level(level: str) -> None:
    """Set the level of our own loggers, such as `info`."""
    logging.getLogger(OURS).setLevel(level.upper())


class JsonLines(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """One line per record for people: time, level, logger, message, `field=value`; a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage().replace("\n", "\\n").replace("\r", "\\r")
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:7} {record.name}: {message}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    given = ((name, getattr(record, name, None)) for name in FIELDS)
    return {name: value for name, value in given if value is not None}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True


def _file_handler(file: Path) -> logging.FileHandler:
    try:
        # Only its owner reads a log: it names files and addresses.
        file.touch(mode=0o600)
        return logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise BadConfiguration(
            f"--log-file {file.name!r} cannot be written: {error.strerror}. Name a file in a folder that can."
        ) from error
