"""`comfygen check URL` as a person runs it: exit codes, table, JSON, log, and signing in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interop_lies import Lie, half

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def check(tmp_path):
    environ = {**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1", "COMFYGEN_STORE": str(tmp_path / "s")}

    def run(*words, **changes):
        return subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", "check", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**environ, **changes},
            check=False,
        )

    return run


def test_a_good_server_ends_with_a_table_a_log_and_code_0(check, serve, tmp_path):
    server = serve()

    ended = check(server.url, "--log", "logs/mine.log", "--timeout", "60")

    assert ended.returncode == 0, ended.stderr
    header, *_ = ended.stdout.splitlines()
    assert header.split() == ["check", "result", "detail", "ms"]
    assert "output: MP4" in ended.stdout
    assert "boxes ftyp moov" in ended.stdout
    assert f"{server.url}: " in ended.stdout
    assert " 0 failed, " in ended.stdout
    assert "Left in the server's output folder (9 files):" in ended.stdout
    assert "Log: logs/mine.log" in ended.stdout
    assert (tmp_path / "logs" / "mine.log").is_file()


def test_a_failed_check_ends_with_code_1_and_json_names_it(check, serve, tmp_path):
    ended = check(serve(Lie("GET", "/view", half)).url, "--json")

    report = json.loads(ended.stdout)
    verdicts = {verdict["check"]: verdict["result"] for verdict in report["verdicts"]}
    assert ended.returncode == 1
    assert (verdicts["output: image"], verdicts["output: text"]) == ("failed", "ok")
    assert report["log"] == f"comfygen-check-{report['id']}.log"
    assert (tmp_path / report["log"]).is_file()


def test_nobody_at_the_address_ends_with_code_3(check):
    ended = check("http://127.0.0.1:9")

    assert ended.returncode == 3
    assert ended.stderr.startswith("error: ComfyUI at http://127.0.0.1:9 cannot be reached")


@pytest.mark.parametrize("address", ["ftp://host", "http://user:pass@host:8188", ""])
def test_an_address_that_cannot_be_used_ends_with_code_2(check, address):
    ended = check(address)

    assert ended.returncode == 2
    assert "URL" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_signs_in_as_the_configured_backend_of_that_address_and_logs_no_secret(check, serve, tmp_path):
    server = serve()
    (tmp_path / "mine.yaml").write_text(
        "backends:\n"
        "  other: {base_url: 'http://127.0.0.1:9'}\n"
        f"  studio: {{base_url: '{server.url}', auth: {{type: bearer, token_env: STUDIO_TOKEN}}}}\n",
        encoding="utf-8",
    )

    address = server.url.removeprefix("http://")
    ended = check(address, "--config", "mine.yaml", "--log", "mine.log", STUDIO_TOKEN="s3cr3t-words")

    assert ended.returncode == 0, ended.stderr
    log = (tmp_path / "mine.log").read_text(encoding="utf-8")
    assert json.loads(log.splitlines()[0])["headers"] == ["Authorization"]
    assert server.layer.signed == {b"Bearer s3cr3t-words"}
    assert "s3cr3t-words" not in log + ended.stdout + ended.stderr


def test_the_script_has_every_option_of_the_command_in_its_usage():
    script = (ROOT / "scripts" / "check-real").read_text(encoding="utf-8")

    for option in ("--model", "--lora", "--log", "--timeout", "--config", "--json"):
        assert option in script
    assert os.access(ROOT / "scripts" / "check-real", os.X_OK)
