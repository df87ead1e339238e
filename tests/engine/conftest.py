"""A fresh engine per test, or one per module."""

import pytest
from engine_probe import Client, models_of_the_captured_server
from engine_server import EngineServer


@pytest.fixture
def start():
    """Return a function: options → a client of a fresh engine, stopped with the test."""
    clients, servers = [], []

    def started(folder=None, **options):
        options.setdefault("models", models_of_the_captured_server())
        server = EngineServer(folder, **options)
        server.__enter__()
        servers.append(server)
        clients.append(Client(server))
        return clients[-1]

    yield started
    for client in clients:
        client.close()
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shared_server():
    with EngineServer(models=models_of_the_captured_server()) as server:
        yield server


@pytest.fixture
def client(shared_server):
    client = Client(shared_server)
    yield client
    client.close()
