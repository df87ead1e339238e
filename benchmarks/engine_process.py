"""An embedded engine in a process of its own, as users have it."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

START_TIMEOUT_S = 20.0


@contextlib.contextmanager
def running_engine(*, step_ms: int = 0) -> Iterator[str]:
    """Yield the address of a fresh engine."""
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
        state = Path(folder) / "engine.json"
        words = [
            "-m",
            "comfygen_mcp.engine",
            "--folder",
            folder,
            "--state",
            str(state),
            "--step-ms",
            str(step_ms),
        ]
        process = subprocess.Popen([sys.executable, *words])
        try:
            yield _address(state)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _address(state: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if state.exists():
            return json.loads(state.read_text(encoding="utf-8"))["url"]
        time.sleep(0.02)
    raise TimeoutError("the engine did not start")
