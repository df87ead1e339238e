"""The wheel in an empty environment: what `uvx comfygen-mcp` gets."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

ROOT = Path(__file__).parent.parent
SHOWN = [*(ROOT / "comfygen_mcp/web_app").iterdir(), *(ROOT / "comfygen_mcp/data/fonts").iterdir()]
"""Fonts of contact sheets, and the parts of the page for people."""


def command(*words, **kwargs):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **kwargs)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=ROOT)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the bin folder of an environment that holds the wheel and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    command(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    command(
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-r",
        ROOT / "requirements/runtime.txt",
    )
    command(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", wheel)
    return folder / "bin"


def test_the_wheel_carries_workflows_presets_and_data(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"comfygen_mcp/workflows/{path.name}" for path in (ROOT / "workflows").glob("*.json")} <= names
    assert {"comfygen_mcp/presets.yaml", "comfygen_mcp/py.typed", "comfygen_mcp/data/catalogue.json"} <= names
    shown = {f"comfygen_mcp/{path.relative_to(ROOT / 'comfygen_mcp')}" for path in SHOWN if path.is_file()}
    assert shown <= names
    assert {"comfygen_mcp/data/fonts/OFL.txt", "comfygen_mcp/web_app/page.html"} <= shown
    assert not [name for name in names if name.startswith(("tests/", "workflows/"))]


async def test_the_installed_server_makes_a_picture_with_nothing_else_around(installed, tmp_path):
    environ = {"HOME": str(tmp_path), "COMFYGEN_STORE": str(tmp_path / "gallery")}
    environ |= {"COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"), "PATH": os.defpath}
    server = StdioServerParameters(command=str(installed / "comfygen-mcp"), env=environ, cwd=tmp_path)
    arguments = {"prompt": "a fox", "size": "256x256", "model": "sd15", "steps": 2}
    try:
        async with Client(stdio_client(server)) as client:
            result = await client.call_tool("generate_image", arguments)
        assert not result.is_error, result.content[0].text
        assert Path(result.structured_content["outputs"][0]["path"]).is_file()
        assert result.structured_content["preview_engine"] is True
    finally:
        stopped = command(installed / "comfygen", "engine", "stop", env=environ, cwd=tmp_path)
    assert "stopped" in stopped.stdout


def test_the_installed_command_line_shows_its_version_and_presets(installed, tmp_path):
    from comfygen_mcp import __version__

    environ = {"HOME": str(tmp_path), "PATH": os.defpath}
    version = command(installed / "comfygen", "--version", env=environ, cwd=tmp_path)
    presets = command(installed / "comfygen", "presets", "--json", env=environ, cwd=tmp_path)

    assert version.stdout.strip() == f"comfygen {__version__}"
    assert '"ultra"' in presets.stdout
