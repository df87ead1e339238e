"""`comfygen config` from a shell's point of view."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comfygen_mcp.cli.config import app
from comfygen_mcp.config import load_settings

REPLICATE = ("flux-schnell-replicate", "flux-dev-replicate")


@pytest.fixture
def cli(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("COMFYUI_URL", raising=False)
    runner = CliRunner()
    return lambda *args, **more: runner.invoke(app, [str(arg) for arg in args], **more)


def test_init_writes_a_sample_that_loads_as_it_is(cli, tmp_path):
    result = cli("init")

    assert result.exit_code == 0
    assert "Wrote comfygen.yaml" in result.output
    loaded = load_settings(environ={}, cwd=tmp_path, config_file=tmp_path / "comfygen.yaml")
    assert loaded.notes == ()
    assert loaded.settings.default_backend == "flux-schnell-local"
    assert list(loaded.settings.backends) == ["flux-schnell-local", "flux2-klein-local", "sd35-medium-local"]


def test_the_sample_is_good_yaml_with_its_comments_taken_away(cli, tmp_path):
    cli("init")
    text = (tmp_path / "comfygen.yaml").read_text(encoding="utf-8")
    settings_lines = [
        line.replace("# ", "", 1) for line in text.splitlines() if line.startswith("# ") and ":" in line
    ]

    assert all(f"  # {name}:" in text for name in REPLICATE)
    for setting in (
        "store",
        "workflow_dirs",
        "presets",
        "timeout_image_s",
        "wait_s",
        "log_level",
        "engine",
        "http",
    ):
        assert any(line.startswith(f"{setting}:") for line in settings_lines), setting


def test_init_refuses_to_overwrite_unless_forced(cli, tmp_path):
    (tmp_path / "comfygen.yaml").write_text("mine")

    refused = cli("init")
    kept = (tmp_path / "comfygen.yaml").read_text()
    forced = cli("init", "--force")

    assert refused.exit_code == 2
    assert "is there already" in refused.output
    assert kept == "mine"
    assert forced.exit_code == 0
    assert "backends:" in (tmp_path / "comfygen.yaml").read_text()


def test_init_takes_a_path_or_a_folder(cli, tmp_path):
    (tmp_path / "here").mkdir()

    assert cli("init", "--path", "there/mine.yaml").exit_code == 0
    assert cli("init", "--path", "here").exit_code == 0

    assert (tmp_path / "there/mine.yaml").is_file()
    assert (tmp_path / "here/comfygen.yaml").is_file()


def test_init_says_how_to_show_the_file_that_it_wrote(cli, tmp_path):
    (tmp_path / "my folder").mkdir()

    found = cli("init").output
    elsewhere = cli("init", "--path", "my folder").output
    named = cli("init", "--path", "named.yaml", env={"COMFYGEN_CONFIG": "named.yaml"}).output
    hidden = cli("init", "--force", env={"COMFYGEN_CONFIG": "gone.yaml"}).output

    assert "then run: comfygen config show" in found
    assert "then run: comfygen --config 'my folder/comfygen.yaml' config show" in elsewhere
    assert "then run: comfygen config show" in named
    assert "then run: comfygen --config comfygen.yaml config show" in hidden


def test_init_says_that_its_blocks_take_the_engines_place(cli):
    output = cli("init").output

    assert "127.0.0.1:8188" in output
    assert "preview engine no longer stands in" in output


def test_show_hides_knobs_that_sound_secret(cli, tmp_path):
    (tmp_path / "comfygen.yaml").write_text("backends: {fox: {base_url: http://fox, hf_token: hush}}")

    for result in (cli("show"), cli("show", "--json")):
        assert result.exit_code == 0
        assert "***" in result.output
        assert "hush" not in result.output
        assert "secrets do not belong there" in result.stderr


def test_init_tells_why_it_cannot_write(cli, tmp_path):
    (tmp_path / "file").write_text("in the way")

    result = cli("init", "--path", "file/comfygen.yaml")

    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_show_tells_values_and_sources_in_columns(cli, tmp_path):
    cli("init")

    result = cli("show", env={"COMFYGEN_STORE": "[red]pictures", "COMFYGEN_TOKEN": "hush"})

    assert result.exit_code == 0
    lines = {
        line.split()[0]: " ".join(line.split()[1:]) for line in result.output.splitlines() if line.strip()
    }
    assert lines["store"] == f"{tmp_path}/[red]pictures environment COMFYGEN_STORE"
    assert lines["http.token"] == "(set, hidden) environment COMFYGEN_TOKEN"
    assert lines["wait_s"] == "45.0 default"
    assert lines["backends.flux-schnell-local.vae"].startswith("ae.safetensors comfygen.yaml:")
    assert "hush" not in result.output


def test_show_without_a_file_says_how_to_get_one(cli):
    assert "comfygen config init" in cli("show").output


def test_show_as_json_holds_the_same(cli, tmp_path):
    result = cli("show", "--json", env={"COMFYGEN_STOER": "x"})

    content = json.loads(result.stdout)
    assert content["file"] is None
    assert {"setting": "http.port", "value": "8765", "source": "default"} in content["settings"]
    assert "COMFYGEN_STORE" in content["notes"][0]
    cli("init")
    assert Path(json.loads(cli("show", "--json").stdout)["file"]) == tmp_path / "comfygen.yaml"


def test_show_tells_a_mistake_in_the_file_in_one_line(cli, tmp_path):
    (tmp_path / "comfygen.yaml").write_text("stor: x\n")

    result = cli("show")

    assert result.exit_code == 2
    assert "error: comfygen.yaml line 1, column 1: unknown key 'stor'" in result.output
    assert "Traceback" not in result.output
