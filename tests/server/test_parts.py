"""Small parts of the service: the shared app, calls, the socket."""

import asyncio
import socket
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.server.mcpserver.exceptions import ToolError

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.errors import BadConfiguration, JobCancelled, StoreFailed
from comfygen_mcp.server.calls import Calls
from comfygen_mcp.server.host_check import security_of, shown_host
from comfygen_mcp.server.listener import listening_socket, until
from comfygen_mcp.server.shared import SharedApp

pytestmark = pytest.mark.anyio


@pytest.fixture
def opening():
    """Return a SharedApp, and what happened to the app in it."""
    happened = []

    @asynccontextmanager
    async def open_app():
        happened.append("opened")
        if happened == ["opened"]:
            raise BadConfiguration("not yet")
        yield "the app"
        happened.append("closed")

    return SharedApp(open_app), happened


async def test_the_app_is_opened_once_after_a_failure_and_closed_once(opening):
    shared, happened = opening
    with pytest.raises(BadConfiguration):
        await shared()
    same = await asyncio.gather(shared(), shared())
    async with shared.borrowed() as app:
        assert app == "the app"
    await shared.aclose()
    await shared.aclose()

    assert same == ["the app", "the app"]
    assert happened == ["opened", "opened", "closed"]


async def test_a_closed_app_is_not_opened_again(opening):
    shared, happened = opening
    await shared.aclose()

    with pytest.raises(JobCancelled, match="shutting down"):
        await shared()
    assert happened == []


async def test_a_call_is_told_with_how_it_ended():
    told = []
    calls = Calls(told.append)
    with calls.one("fine"):
        assert calls.running == 1
    with pytest.raises(ToolError), calls.one("failing"):
        raise ToolError("x") from StoreFailed("x")
    with pytest.raises(ToolError), calls.one("odd"):
        raise ToolError("x") from ValueError("x")
    with anyio.move_on_after(0.01), calls.one("cancelled"):
        await anyio.sleep_forever()

    assert [(call.tool, call.outcome, call.error_type) for call in told] == [
        ("fine", "ok", None),
        ("failing", "error", "StoreFailed"),
        ("odd", "error", None),
        ("cancelled", "cancelled", None),
    ]
    assert calls.running == 0


def test_after_closing_no_call_begins():
    calls = Calls()
    calls.close()

    with pytest.raises(ToolError, match="shutting down"), calls.one("late"):
        raise AssertionError("not reached")
    assert calls.running == 0


async def test_waiting_for_a_condition_ends_either_way():
    assert await until(lambda: True, within_s=0)
    assert not await until(lambda: False, within_s=0.01)


def test_a_bound_socket_takes_a_free_port_and_a_taken_one_is_named():
    with listening_socket("localhost", 0) as first:
        port = first.getsockname()[1]
        assert first.family == socket.AF_INET
        with pytest.raises(BadConfiguration, match=f"port {port}"):
            listening_socket("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_ours_is_named(host):
    with pytest.raises(BadConfiguration, match=host):
        listening_socket(host, 0)


def test_hosts_and_origins_of_the_own_address_and_the_public_one():
    here = security_of(HttpSettings(host="0.0.0.0", port=80))
    there = security_of(HttpSettings(public_url="https://p.example/x", allowed_hosts=("q.example",)))

    assert {"0.0.0.0:80", "localhost", "[::1]:80"} <= set(here.allowed_hosts)
    assert {"p.example", "p.example:443", "q.example", "127.0.0.1:8765"} <= set(there.allowed_hosts)
    assert "https://p.example" in there.allowed_origins
    assert "localhost" not in there.allowed_hosts
    assert here.enable_dns_rebinding_protection


def test_an_ipv6_address_stands_in_brackets_in_a_url():
    assert (shown_host("::1"), shown_host("127.0.0.1")) == ("[::1]", "127.0.0.1")
