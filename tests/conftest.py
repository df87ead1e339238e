"""Fixtures that every test may use: an engine, settings that point to it, a server, an MCP client."""

from contextlib import asynccontextmanager

import pytest
from mcp import Client

from comfygen_mcp.app import open_app
from comfygen_mcp.config import load_settings
from comfygen_mcp.server import build_server

ERAS = ("auto", "legacy")
"""Client modes: the stateless protocol of today, and the `initialize` handshake."""


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    from engine_server import EngineServer

    with EngineServer(tmp_path_factory.mktemp("engine")) as server:
        yield server


@pytest.fixture(scope="session")
def slow_engine(tmp_path_factory):
    """An engine whose sampler needs a twentieth of a second per step, so that a job can be met halfway."""
    from engine_server import EngineServer

    with EngineServer(tmp_path_factory.mktemp("slow-engine"), step_ms=50) as server:
        yield server


@pytest.fixture
def settings_for(tmp_path):
    """Return a function: environment → settings, stored below the test's own folder."""

    def settings(**environ):
        stored = {
            "COMFYGEN_STORE": str(tmp_path / "gallery"),
            "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
            "COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"),
        }
        return load_settings(environ={**stored, **environ}, cwd=tmp_path).settings

    return settings


@pytest.fixture
def settings(settings_for, engine):
    return settings_for(COMFYUI_URL=engine.url)


@pytest.fixture
def connect():
    """Return a function: settings → a connected MCP client of a server with them."""

    @asynccontextmanager
    async def connected(settings, mode="auto"):
        server = build_server(lambda: open_app(settings, {}))
        async with Client(server, mode=mode) as client:
            yield client

    return connected
