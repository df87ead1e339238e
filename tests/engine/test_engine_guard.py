"""Who is refused before any route is asked."""

from http.client import HTTPConnection

import pytest
from engine_probe import captured
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

ORIGINS = captured("origins")
CAPTURED_HOST = "127.0.0.1:8588"


@pytest.mark.parametrize("case", ORIGINS, ids=[case["name"] for case in ORIGINS])
def test_captured_origins_are_let_in_or_refused_as_captured(start, case):
    client = start(loopback_only=False)

    sent = {name.lower(): value for name, value in case["headers"].items()}

    reply = client.get("/queue", headers={"host": CAPTURED_HOST, **sent})

    assert reply.status_code == case["status"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:1"}, 200),
        ({"host": "[::1]:1"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": "127.0.0.1:bad"}, 200),
        ({"host": "[broken"}, 403),
        ({"host": "localhost", "origin": "http://localhost:3000"}, 200),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, 403),
        ({"host": "localhost:1", "origin": "null"}, 403),
        ({"host": "localhost:1", "origin": "http://[broken"}, 403),
    ],
)
def test_a_host_that_is_not_loopback_is_refused(client, headers, status):
    assert client.get("/queue", headers=headers).status_code == status


def test_a_foreign_page_cannot_open_a_socket(client):
    foreign = {"Origin": "http://evil.example"}

    with pytest.raises(InvalidStatus) as refused, connect(client.server.ws_url, additional_headers=foreign):
        pass

    assert refused.value.response.status_code == 403


def test_options_are_always_fine_and_other_methods_are_unknown(client):
    assert client.http.options("/nowhere").status_code == 200
    assert client.http.put("/prompt").status_code == 404


def test_a_body_above_100_mib_is_refused_when_announced(client):
    connection = HTTPConnection("127.0.0.1", client.http.base_url.port)
    connection.putrequest("POST", "/upload/image")
    connection.putheader("content-length", "104857601")
    connection.endheaders()

    reply = connection.getresponse()

    assert (reply.status, reply.read()) == (413, b"Maximum request body size 104857600 exceeded.")
    connection.close()


def test_a_body_above_the_limit_is_refused_when_streamed(start, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.engine.guard.BodyLimit.__init__.__defaults__", (1000,))
    client = start()

    reply = client.http.post("/prompt", content=iter([b" " * 600, b" " * 600]))

    assert reply.status_code == 413
