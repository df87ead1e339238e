"""The two forms of a log line, and what one may carry."""

import json
import logging
import sys

import pytest

from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.logs import JsonLines, TextLines, logging_to, request_id, set_level


def record(message, *args, error=None, **extra):
    made = logging.LogRecord("comfygen_mcp.x", logging.INFO, "f.py", 1, message, args, error)
    made.created = 1_700_000_000.1234
    vars(made).update(extra)
    return made


def crashed():
    try:
        int("broken")
    except ValueError:
        return sys.exc_info()


def test_json_is_one_object_per_line_with_known_fields_only():
    line = JsonLines().format(
        record("a %s\nline", "long", job_id="j1", duration_ms=7, host=None, prompt="x", authorization="y")
    )

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.123Z",
        "level": "info",
        "logger": "comfygen_mcp.x",
        "message": "a long\nline",
        "job_id": "j1",
        "duration_ms": 7,
    }


def test_json_holds_a_traceback_inside_its_line():
    line = JsonLines().format(record("crash", error=crashed()))

    assert "\n" not in line
    assert "ValueError: invalid literal for int() with base 10: 'broken'" in json.loads(line)["traceback"]


def test_text_is_one_line_whatever_the_message_holds():
    line = TextLines().format(record("two\nlines\r", job_id="j1"))

    assert line == r"2023-11-14T22:13:20.123Z INFO    comfygen_mcp.x: two\nlines\r job_id=j1"


def test_text_shows_a_traceback_below_its_line():
    first, *rest = TextLines().format(record("crash", error=crashed())).splitlines()

    assert first.endswith("crash")
    assert rest[-1] == "ValueError: invalid literal for int() with base 10: 'broken'"


def test_other_libraries_speak_only_from_warning_on_and_ours_from_the_level(capsys, tmp_path):
    ours, other = logging.getLogger("comfygen_mcp.some"), logging.getLogger("some.library")
    file = tmp_path / "log"
    token = request_id.set("r1")
    before = logging.getLogger().handlers[:]
    with logging_to(style="json", file=file):
        set_level("info")
        for logger in (ours, other):
            logger.debug("debugging")
            logger.info("information")
            logger.warning("a warning")
    request_id.reset(token)
    logging.getLogger("comfygen_mcp").setLevel(logging.NOTSET)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [(line["logger"], line["message"]) for line in lines] == [
        ("comfygen_mcp.some", "information"),
        ("comfygen_mcp.some", "a warning"),
        ("some.library", "a warning"),
    ]
    assert {line["request_id"] for line in lines} == {"r1"}
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3
    assert logging.getLogger().handlers == before


def test_a_log_file_in_no_folder_is_refused_without_its_path(tmp_path):
    opening = logging_to(style="text", file=tmp_path / "no" / "here")
    with pytest.raises(BadConfiguration, match="'here' cannot be written") as refused, opening:
        raise AssertionError("not reached")

    assert str(tmp_path) not in str(refused.value)
