"""Short bounds for every wait, and clients that are closed at the end of their test."""

import pytest
from engine_faults import VERSIONS, serving

from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.models import Host

FAST = {
    "connect_s": 3.0,
    "read_s": 3.0,
    "retry_s": 0.02,
    "heartbeat_s": 30.0,
    "end_s": 0.25,
    "late_s": 0.01,
    "poll_s": 0.02,
    "poll_max_s": 0.1,
    "reconnect_max_s": 0.1,
    "vanished_s": 0.05,
    "outage_s": 10.0,
    "cancel_s": 20.0,
}


@pytest.fixture
async def client_of():
    clients = []

    def open_client(url, *, headers=None, wake_hint=None, **timing):
        host = Host(url=url, headers=headers or {}, wake_hint=wake_hint)
        clients.append(ComfyUI(host, timing=Timing(**{**FAST, **timing})))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.aclose()


@pytest.fixture(scope="module", params=VERSIONS)
def shared(request):
    with serving(request.param) as served:
        yield served


@pytest.fixture(scope="module", params=VERSIONS)
def slow(request):
    """An engine whose sampler takes a moment for every step."""
    with serving(request.param, step_ms=60) as served:
        yield served
