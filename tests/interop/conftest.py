"""Servers that the suite examines: the engine as it is, and behind a layer that lies."""

import contextlib
import itertools

import pytest
from engine_server import EngineServer
from interop_lies import Layer

from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.interop.bench import Plan, open_bench
from comfygen_mcp.interop.journal import open_journal
from comfygen_mcp.interop.suite import _judged, check_server
from comfygen_mcp.models import Host

CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"
FAST = Timing(retry_s=0.02, heartbeat_s=0.2, late_s=0.01, poll_s=0.02, poll_max_s=0.1, vanished_s=0.05)


@pytest.fixture
def serve(tmp_path):
    """Return a function: lies → a running engine behind them; `.layer` has seen every request."""
    with contextlib.ExitStack() as servers:
        numbers = itertools.count()

        def served(*lies, **options):
            layers = []

            def wrap(app):
                layers.append(Layer(app, lies))
                return layers[0]

            folder = tmp_path / f"server-{next(numbers)}"
            server = servers.enter_context(EngineServer(folder, wrap=wrap, **options))
            server.layer = layers[0]
            return server

        yield served


@pytest.fixture
def examine(tmp_path):
    """Return a function: server → the suite's report."""

    async def examined(server, *, announce=lambda _: None, **wishes):
        plan = Plan(**{"id": "t3st", "timing": FAST, "timeout_s": 60.0, **wishes})
        with open_journal(tmp_path / "check.log") as journal:
            return await check_server(Host(url=server.url), plan, journal, announce=announce)

    return examined


@pytest.fixture
def judge(tmp_path):
    """Return a function: server and one check → its verdict."""

    async def judged(server, check, **wishes):
        plan = Plan(**{"id": "t3st", "timing": FAST, **wishes})
        with open_journal(tmp_path / "one.log") as journal:
            async with open_bench(Host(url=server.url), plan, journal) as bench:
                await bench.look()
                return await _judged(bench, check)

    return judged


@pytest.fixture
def everything():
    """What is asked of a server that has a model and a LoRA."""
    return {"model": CHECKPOINT, "lora": "style.safetensors"}
