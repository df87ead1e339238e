"""Fixtures that every test may use: an engine, settings that point to it, a server, an MCP client."""

import os
import shutil
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


@pytest.fixture(scope="session")
def rclone(tmp_path_factory):
    """An S3 server that stays up for the whole run."""
    from s3_servers import Rclone

    with Rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def rgw():
    """Ceph's S3 server; skipped where it is not installed, unless REQUIRE_RGW is set."""
    from rgw_server import missing_programs, rgw_server

    if missing := missing_programs():
        reason = f"Ceph RGW is not installed ({', '.join(missing)}); tests/rgw_server.py says how"
        assert not os.environ.get("REQUIRE_RGW"), reason
        pytest.skip(reason)
    with rgw_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server; skipped where it is not installed, unless REQUIRE_POSTGRES is set."""
    from postgres_server import postgres_server, programs

    if programs() is None:
        assert not os.environ.get("REQUIRE_POSTGRES"), "PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed")
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def chromium():
    """The path of Debian's Chromium; skipped where it is not installed, unless REQUIRE_CHROMIUM is set."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not installed (apt-get install chromium)"
        assert not os.environ.get("REQUIRE_CHROMIUM"), reason
        pytest.skip(reason)
    return found


@pytest.fixture
def s3_server(request):
    """The S3 server that a test names by `indirect` parametrisation: `rclone` or `rgw`."""
    server = request.getfixturevalue(request.param)
    return server.s3 if request.param == "rclone" else server


@pytest.fixture
def settings_for(tmp_path):
    """Return a function: environment → settings, stored below the test's own folder."""

    def settings(**environ):
        stored = {
            "COMFYGEN_STORE": str(tmp_path / "gallery"),
            "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
            "COMFYGEN_CACHE": str(tmp_path / "cache"),
            "COMFYGEN_INDEX": str(tmp_path / "index"),
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
        server = build_server(lambda: open_app(settings, {}), settings=lambda: settings)
        async with Client(server, mode=mode) as client:
            yield client

    return connected
