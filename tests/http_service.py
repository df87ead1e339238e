"""The HTTP service on a loopback port, in a thread of the test process."""

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import httpx

from comfygen_mcp.config import HttpSettings
from comfygen_mcp.server.http import HttpService
from comfygen_mcp.server.listener import Listener, listening_socket

TOKEN = "a-long-secret-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@contextmanager
def served(settings, *, sse=False, **changes):
    """Yield the running service and its `url`; *changes* are fields of HttpSettings."""
    listening = listening_socket("127.0.0.1", 0)
    port = listening.getsockname()[1]
    http = HttpSettings.model_validate({**dict(settings.http), "port": port, **changes})
    service = HttpService(settings.model_copy(update={"http": http}), {}, sse=sse)
    listener = Listener(service.app, service.drain)
    thread = threading.Thread(target=listener.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not listener.started:
            assert thread.is_alive()
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=30) as http_client:
            yield SimpleNamespace(url=url, service=service, http=http_client, stop=listener.stop)
    finally:
        listener.stop()
        thread.join(timeout=30)
        listening.close()
        assert not thread.is_alive()
