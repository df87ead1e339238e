"""`/health` and `/ready`: what each says when all is well, and when something is not."""

import socket

import pytest
from http_service import BEARER, TOKEN, served
from observe import wait_until

from comfygen_mcp.server import health


def test_a_service_that_could_make_a_picture_is_ready(settings):
    with served(settings) as running:
        alive = running.http.get("/health")
        ready = running.http.get("/ready")
        head = running.http.head("/ready")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert ready.status_code == head.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "checks": {"app": "ok", "store": "ok", "host": "ok"},
        "reasons": {},
    }
    assert ready.headers["cache-control"] == "no-store"


def test_without_a_host_it_is_ready_because_the_engine_would_start_and_does_not_start_it(
    settings_for, tmp_path
):
    with served(settings_for()) as running:
        ready = running.http.get("/ready")

    assert ready.json()["checks"]["host"] == "ok"
    assert not (tmp_path / "engine").exists()


def test_an_unreachable_host_is_named(settings_for):
    with served(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as running:
        ready = running.http.get("/ready")
        alive = running.http.get("/health")

    assert ready.status_code == 503
    assert ready.json()["checks"] == {"app": "ok", "store": "ok", "host": "failed"}
    assert "127.0.0.1:9" in ready.json()["reasons"]["host"]
    assert alive.status_code == 200


def test_a_store_that_cannot_be_written_is_named_and_counted(settings_for, engine, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    store = str(tmp_path / "file" / "gallery")
    with served(settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE=store)) as running:
        ready = running.http.get("/ready")
        page = running.http.get("/metrics").text

    assert ready.status_code == 503
    assert ready.json()["checks"]["store"] == "failed"
    assert 'comfygen_store_errors_total{operation="probe"}' in page


@pytest.mark.anyio
async def test_an_app_that_cannot_open_is_named_and_looked_at_again(settings_for, tmp_path):
    presets = tmp_path / "presets.yaml"
    presets.write_text("presets: [", encoding="utf-8")
    with served(settings_for(COMFYGEN_PRESETS=str(presets))) as running:
        broken = running.http.get("/ready")
        metrics = running.http.get("/metrics")
        presets.write_text("presets: {}\n", encoding="utf-8")
        await wait_until(lambda: running.http.get("/ready").json()["checks"]["app"] == "ok")

    assert broken.status_code == 503
    assert "presets.yaml" in broken.json()["reasons"]["app"]
    assert metrics.status_code == 200


def test_reasons_are_only_for_callers_with_the_token(settings_for):
    with served(settings_for(COMFYUI_URL="http://127.0.0.1:9"), token=TOKEN) as running:
        stranger = running.http.get("/ready")
        trusted = running.http.get("/ready", headers=BEARER)

    assert stranger.status_code == trusted.status_code == 503
    assert "reasons" not in stranger.json()
    assert "127.0.0.1:9" not in stranger.text
    assert trusted.json()["reasons"]["host"]


def test_a_host_that_says_nothing_is_not_waited_for(settings_for, monkeypatch):
    monkeypatch.setattr(health, "CHECK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with served(settings_for(COMFYUI_URL=url)) as running:
            ready = running.http.get("/ready")

    assert ready.status_code == 503
    assert "no answer within" in ready.json()["reasons"]["host"]


def test_a_service_that_is_going_down_is_not_ready(settings):
    with served(settings) as running:
        running.service.calls.close()
        ready = running.http.get("/ready")

    assert ready.status_code == 503
    assert ready.json()["checks"] == {"server": "failed"}
