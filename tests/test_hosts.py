"""Which host is used: a configured one never gives way, the implicit one only when it is refused."""

import socket
from contextlib import contextmanager

import pytest

from comfygen_mcp.backends.hosts import Clients, ConfiguredHost, ImplicitHost
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.comfyui.embedded import refused
from comfygen_mcp.models import Host

pytestmark = pytest.mark.anyio

ENGINE = Host(url="http://127.0.0.1:1")


async def start_engine():
    return ENGINE


@contextmanager
def listening():
    """A port where somebody listens and never says a word."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


async def test_the_implicit_host_is_the_engine_when_the_connection_is_refused():
    host = ImplicitHost(refused=refused, engine=start_engine, url="http://127.0.0.1:9")

    assert await host.host() == ENGINE
    assert (host.address, host.configured) == ("http://127.0.0.1:9", False)


async def test_the_implicit_host_is_itself_when_something_listens_even_if_it_never_answers():
    with listening() as url:
        host = ImplicitHost(refused=refused, engine=start_engine, url=url)

        assert await host.host() == Host(url=url)


async def test_a_configured_host_stays_the_one_whatever_it_does():
    host = ConfiguredHost(Host(url="http://127.0.0.1:9", wake_hint="wake it"))

    assert await host.host() == Host(url="http://127.0.0.1:9", wake_hint="wake it")
    assert (host.address, host.configured) == ("http://127.0.0.1:9", True)


async def test_one_client_serves_a_host_and_all_are_closed_together(engine):
    clients = Clients(ComfyUI)
    client = clients.of(Host(url=engine.url))
    await client.system_stats()

    assert clients.of(Host(url=engine.url)) is client
    await clients.aclose()
    assert clients.of(Host(url=engine.url)) is not client
    await clients.aclose()


async def test_hosts_at_one_address_with_other_headers_or_hints_share_no_client():
    clients = Clients(ComfyUI)
    hosts = [
        Host(url="http://fox:8188"),
        Host(url="http://fox:8188", headers={"Authorization": "Bearer one"}),
        Host(url="http://fox:8188", headers={"Authorization": "Bearer two"}),
        Host(url="http://fox:8188", wake_hint="press the button"),
    ]

    opened = [clients.of(host) for host in hosts]

    assert [client.host for client in opened] == hosts
    assert [clients.of(host.model_copy()) for host in hosts] == opened
    assert len({id(client) for client in opened}) == len(hosts)
    await clients.aclose()
