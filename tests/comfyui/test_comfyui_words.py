"""The pure parts: words, shapes, causes, paces."""

import errno
import socket
import ssl

import httpx
import pytest

from comfygen_mcp.comfyui.shapes import choices, items, mapping, options, strings, text, whole
from comfygen_mcp.comfyui.steps import StepClock
from comfygen_mcp.comfyui.unreachable import (
    address,
    cause_of,
    never_sent,
    not_comfyui,
    refused_access,
    unreachable,
)
from comfygen_mcp.comfyui.wording import first_line, shown, without_paths
from comfygen_mcp.errors import BackendUnreachable, UnexpectedReply
from comfygen_mcp.models import Host


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("open /srv/comfyui/models/vae/ae.safetensors failed", "open …/ae.safetensors failed"),
        (r"C:\ComfyUI\models\vae\ae.sft is gone", "…/ae.sft is gone"),
        ("'/srv/comfyui/x.png' is broken", "'…/x.png' is broken"),
        ("see https://example.org/a/b for more", "see https://example.org/a/b for more"),
        ("1/2 and/or 3", "1/2 and/or 3"),
    ],
)
def test_server_paths_are_shortened_and_urls_are_not(given, expected):
    assert without_paths(given) == expected


def test_only_the_first_filled_line_of_a_message_is_told_and_never_too_much_of_it():
    assert first_line("\n\n  header too small\n/srv/x/y") == "header too small"
    assert first_line("") == ""
    assert len(first_line("x" * 1000)) == 300
    assert shown("x" * 100) == "'" + "x" * 77 + "…'"


def test_foreign_json_of_another_shape_reads_as_empty():
    assert (mapping([1]), items({}), text(7), text(""), strings("ab")) == ({}, [], None, None, ())
    assert [whole(v) for v in (3, 3.7, True, "3", float("nan"), float("inf"))] == [
        3,
        3,
        None,
        None,
        None,
        None,
    ]
    assert choices([["a", "b"], {}]) == ("a", "b")
    assert choices(["COMBO", {"options": ["c"]}]) == ("c",)
    assert (choices(None), choices(["INT"]), options(None)) == ((), (), {})


def tls_error(reason):
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def caused_by(outer, inner):
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (caused_by(httpx.ConnectError("x"), ConnectionRefusedError()), "connection refused"),
        (
            caused_by(httpx.ConnectError("x"), ExceptionGroup("all", [ConnectionRefusedError()])),
            "connection refused",
        ),
        (caused_by(httpx.ConnectError("x"), socket.gaierror(-2, "unknown")), "no such host"),
        (caused_by(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "x")), "no route"),
        (httpx.ConnectTimeout("x"), "timeout while connecting"),
        (httpx.ReadTimeout("x"), "does not answer"),
        (httpx.UnsupportedProtocol("x"), "no http:// or https:// URL"),
        (
            caused_by(httpx.ConnectError("x"), tls_error("WRONG_VERSION")),
            "TLS connection failed (wrong version)",
        ),
        (httpx.RemoteProtocolError("x"), "the connection broke (RemoteProtocolError)"),
    ],
)
def test_the_cause_of_a_network_error_is_named(error, words):
    assert words in cause_of(error)


def test_a_bad_certificate_says_what_is_wrong_with_it():
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"

    assert cause_of(error) == "the TLS connection failed (certificate: self-signed certificate)"


def test_only_failures_before_the_connection_count_as_never_sent():
    assert never_sent(httpx.ConnectError("x"))
    assert not never_sent(httpx.ReadTimeout("x"))
    assert not never_sent(None)


def test_an_unreachable_host_is_told_with_its_wake_hint_or_how_to_start_it():
    asleep = unreachable(Host(url="http://gpu:8188", wake_hint="wakeonlan 00:11"), "no route to the host")
    plain = unreachable(Host(url="http://gpu:8188"), "refused")

    assert isinstance(asleep, BackendUnreachable)
    assert (
        str(asleep) == "ComfyUI at http://gpu:8188 cannot be reached: no route to the host. wakeonlan 00:11"
    )
    assert "Start ComfyUI there" in str(plain)
    assert "embedded engine" in str(plain)


def test_addresses_and_access_errors_never_show_a_secret():
    host = Host(url="https://joe:pa55@gpu/comfy", headers={"Authorization": "Bearer s3cret"})
    told = [str(refused_access(host, 401)), str(refused_access(host, 403)), str(not_comfyui(host, "HTML"))]

    assert address(host) == "https://gpu/comfy"
    assert isinstance(refused_access(host, 401), UnexpectedReply)
    assert "headers sent: Authorization" in told[0]
    assert "it is not ComfyUI: HTML" in told[2]
    assert not any(secret in words for words in told for secret in ("pa55", "s3cret", "joe"))


def test_the_time_left_is_estimated_from_the_second_step_on():
    clock = StepClock()
    clock.tick(0, at=0.0)
    clock.tick(1, at=30.0)

    assert clock.remaining_s(4) is None

    clock.tick(2, at=32.0)
    assert clock.remaining_s(4) == 4.0

    clock.restart()
    assert clock.remaining_s(4) is None
