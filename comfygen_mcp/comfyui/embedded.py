"""The embedded engine as a process of its own: found when it runs, started when it does not."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from filelock import AsyncFileLock, Timeout
from pydantic import BaseModel, ValidationError

from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.errors import BackendUnreachable, BadConfiguration, ComfygenError
from comfygen_mcp.models import Host

START_S = 20.0
"""How long a started engine may take until it answers."""
STOP_S = 10.0
_POLL_S = 0.05
_QUICK = Timing(connect_s=2.0, read_s=5.0)


class EngineState(BaseModel):
    """`engine.json`, written by the engine when it listens."""

    url: str
    pid: int
    version: str
    started_at: str | float | None = None


async def ensure_engine(folder: Path, *, idle_s: float, version: str) -> Host:
    """Return the running engine of *folder*, started when there is none of this *version*.

    Two callers at once start one engine. Raises BackendUnreachable with the engine's last words.
    """
    if host := await _running(folder, version):
        return host
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with AsyncFileLock(folder / "engine.lock", timeout=START_S * 1.5, thread_local=False):
            return await _running(folder, version) or await _started(folder, idle_s, version)
    except Timeout as error:
        raise BackendUnreachable(
            "The embedded engine is being started by another process and does not come up. Try again."
        ) from error
    except OSError as error:
        raise BadConfiguration(
            f"The folder of the embedded engine cannot be used: {error.strerror or 'input/output error'}. "
            "Choose a writable data folder."
        ) from error


async def stop_engine(folder: Path) -> bool:
    """Stop the engine of *folder* and wait until it is gone; False when none was running."""
    state = await asyncio.to_thread(_read_state, folder)
    if state is None or not await _is_engine(state.url):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STOP_S
    while not await refused(state.url):
        if loop.time() > deadline:
            raise BackendUnreachable(
                f"The embedded engine (process {state.pid}) does not stop; end it yourself."
            )
        await asyncio.sleep(_POLL_S)
    return True


async def refused(url: str) -> bool:
    """Tell whether a bare connection to *url* is refused; False for every other outcome."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_QUICK.connect_s):
            addresses = await asyncio.get_running_loop().getaddrinfo(
                parts.hostname, port, type=socket.SOCK_STREAM
            )
            outcomes = [await _refuses(address[4][0], port) for address in addresses]
    except (OSError, TimeoutError):
        return False
    return all(outcomes)


async def _refuses(ip: str | int, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(str(ip), port)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    writer.close()
    return False


async def _running(folder: Path, version: str) -> Host | None:
    state = await asyncio.to_thread(_read_state, folder)
    if state is None or state.version != version or not await _is_engine(state.url):
        return None
    return Host(url=state.url)


async def _is_engine(url: str) -> bool:
    """Tell whether an embedded engine answers: a stale state file may name a port that is another's now."""
    async with ComfyUI(Host(url=url), timing=_QUICK) as client:
        try:
            return (await client.system_stats()).preview_engine
        except ComfygenError:
            return False


async def _started(folder: Path, idle_s: float, version: str) -> Host:
    log = folder / "engine.log"
    process = await asyncio.to_thread(_spawn, folder, log, idle_s)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_S
    while loop.time() < deadline and process.poll() is None:
        if host := await _running(folder, version):
            return host
        await asyncio.sleep(_POLL_S)
    ended = process.poll()
    why = "does not answer" if ended is None else f"ended with status {ended}"
    if ended is None:
        process.terminate()
    raise BackendUnreachable(
        f"The embedded engine {why}: {await asyncio.to_thread(_last_line, log)} "
        "Configure the address of a ComfyUI (COMFYUI_URL), or run `comfygen engine start` to see more."
    )


def _spawn(folder: Path, log: Path, idle_s: float) -> subprocess.Popen[bytes]:
    """Start the engine detached: it outlives this process and shares no terminal or pipe with it."""
    folder_arguments = ["--folder", str(folder), "--state", str(_state_file(folder))]
    arguments = [*folder_arguments, "--idle-s", f"{idle_s:g}", "--log", str(log)]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "comfygen_mcp.engine", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )
    # Reaps the engine when it stops by itself while this process still runs.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _state_file(folder: Path) -> Path:
    return folder / "engine.json"


def _read_state(folder: Path) -> EngineState | None:
    try:
        return EngineState.model_validate(json.loads(_state_file(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return first_line(lines[-1]) if lines else "it left no log."
