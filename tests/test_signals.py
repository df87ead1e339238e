"""Ctrl-C and SIGTERM while a program starts and when it has ended: one line, its exit code, nothing kept.

The program signals itself at a named moment, an audit event of Python's own (a module is imported, a file
opened, a socket connected), so that no test has to guess when that is.
"""

import os
import signal
import subprocess
import sys

import pytest

BOTH = (signal.SIGINT, signal.SIGTERM)
SITE = """
import atexit, os, sys

moment, number = os.environ["SIGNAL_AT"].split("="), int(os.environ["SIGNAL_NUMBER"])

def look(event, arguments):
    if moment and moment[0] == event and moment[1] in str(arguments[:1]):
        moment.clear()
        os.kill(os.getpid(), number)

look.__cantrace__ = True  # or what the signal brings about is not seen by coverage
sys.addaudithook(look)
atexit.register(lambda: sys.audit("the end", ""))
"""
GENERATE = ("generate", "a fox", "--model", "sd15", "--size", "256x256", "--steps", "2")
STDIO = ("serve",)
HTTP = ("serve", "--http", "--port", "0")
STARTING = {
    "generate": (
        GENERATE,
        *("import='comfygen_mcp.cli.app'", "import='typer'", "import='pydantic'", "import='mcp'"),
        *("open=comfygen.yaml", "socket.connect="),
    ),
    "serve": (STDIO, "import='comfygen_mcp.cli.stdio'", "import='mcp'", "import='pydantic'"),
    "serve --http": (
        HTTP,
        *("import='comfygen_mcp.cli.serve'", "import='uvicorn'", "open=comfygen.yaml", "socket.bind="),
    ),
}
MOMENTS = [
    pytest.param(words, moment, number, id=f"{name} {number.name} {moment}")
    for name, (words, *moments) in STARTING.items()
    for moment in moments
    for number in BOTH
]


@pytest.fixture
def ended(tmp_path, engine):
    """Return a function: runs a command that signals itself; returns exit code, stdout and stderr."""
    (tmp_path / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    (tmp_path / "comfygen.yaml").write_text(f"comfyui_url: {engine.url}\n", encoding="utf-8")
    own = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYUI_URL": engine.url,
        "HOME": str(tmp_path),
    }

    def run(words, moment, number):
        process = subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env={**os.environ, **own, "SIGNAL_AT": moment, "SIGNAL_NUMBER": str(int(number))},
            check=False,
        )
        return process.returncode, process.stdout, process.stderr.strip()

    return run


@pytest.mark.parametrize(("words", "moment", "number"), MOMENTS)
def test_a_signal_while_a_command_starts_cancels_it_and_leaves_nothing(
    ended, tmp_path, words, moment, number
):
    assert ended(words, moment, number) == (130, "", "error: cancelled")
    assert not [path for path in tmp_path.glob("gallery/**/*") if path.is_file()]


@pytest.mark.parametrize("words", [GENERATE, STDIO, HTTP], ids=["generate", "serve", "serve --http"])
def test_ctrl_c_while_signals_are_not_yet_ours_is_told_alike(ended, words):
    assert ended(words, "import='comfygen_mcp.signals'", signal.SIGINT) == (130, "", "error: cancelled")


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_when_the_picture_is_stored_takes_nothing_back(ended, tmp_path, number):
    code, out, told = ended(GENERATE, "the end=", number)

    stored = next((tmp_path / "gallery").rglob("*.png"))
    assert (code, out) == (130, f"{stored}\n")
    assert "Traceback" not in told


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_when_a_server_has_ended_changes_nothing(ended, number):
    assert ended(STDIO, "the end=", number) == (0, "", "")
