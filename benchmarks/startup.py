"""How fast the server is there: spawn → `initialize` answered, beside a bare `mcp` server; and its memory.

usage: python benchmarks/startup.py [rounds]
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from table import show

BARE = "from mcp.server import MCPServer; MCPServer('bare', log_level='WARNING').run()"
OURS = ("-m", "comfygen_mcp", "serve")
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    },
}


def main(rounds: int) -> None:
    """Measure in turns, so that a noisy moment hits both sides."""
    bare, ours, memory = [], [], []
    for _ in range(rounds):
        bare.append(answered(("-c", BARE))[0])
        took, idle = answered(OURS)
        ours.append(took)
        memory.append(idle)
    show("spawn -> initialize answered", {"bare mcp server": bare, "comfygen serve": ours})
    show("resident memory when idle", {"comfygen serve": memory}, unit="MB")


def answered(words: tuple[str, ...]) -> tuple[float, float]:
    """Return milliseconds until the answer, and megabytes resident after it."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("pipes were asked for")
    process.stdin.write(json.dumps(HELLO) + "\n")
    process.stdin.flush()
    reply = json.loads(process.stdout.readline())
    took = (time.perf_counter() - started) * 1000
    if "result" not in reply:
        raise RuntimeError(str(reply))
    resident = resident_mb(process.pid)
    process.communicate(timeout=20)
    return took, resident


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
