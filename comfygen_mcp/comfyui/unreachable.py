"""What is said when a host does not answer, or answers as something else than ComfyUI."""

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import httpx

from comfygen_mcp.errors import BackendUnreachable, UnexpectedReply
from comfygen_mcp.models import Host

DEFAULT_HINT = (
    "Start ComfyUI there, or check the address and the port in comfygen.yaml or COMFYUI_URL; "
    "without any configured address the embedded engine is used."
)
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def unreachable(host: Host, cause: str) -> BackendUnreachable:
    """Say which address cannot be reached, why, and what to do about it."""
    hint = host.wake_hint or DEFAULT_HINT
    return BackendUnreachable(f"ComfyUI at {address(host)} cannot be reached: {cause}. {hint}")


def refused_access(host: Host, status: int) -> UnexpectedReply:
    """Say that the host wants other credentials; names of headers only, never their values."""
    sent = ", ".join(sorted(host.headers)) or "none"
    return UnexpectedReply(
        f"{address(host)} answers {status} ({'not authorised' if status == 401 else 'forbidden'}). "
        f"Check `auth` and `headers` of this backend and the environment variables that they name; "
        f"headers sent: {sent}."
    )


def not_comfyui(host: Host, what: str) -> UnexpectedReply:
    """Say that something answers at the address, but not as a ComfyUI would."""
    return UnexpectedReply(
        f"Something answers at {address(host)} but it is not ComfyUI: {what}. "
        "Check `base_url` (host, port, and the path prefix behind a reverse proxy)."
    )


def address(host: Host) -> str:
    """Return the host's URL without user name and password."""
    parts = urlsplit(host.url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def cause_of(error: BaseException) -> str:
    """Name the cause of a network error in words that people look for."""
    chain = _chain(error)
    for matches, words in _CAUSES:
        if any(matches(seen) for seen in chain):
            return words
    tls = next((seen for seen in chain if isinstance(seen, ssl.SSLError)), None)
    return f"the TLS connection failed ({_tls_reason(tls)})" if tls else _broken(error)


def never_sent(error: BaseException | None) -> bool:
    """Tell whether a failed request cannot have reached the server."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


_CAUSES: tuple[tuple[Callable[[BaseException], bool], str], ...] = (
    (
        lambda seen: isinstance(seen, ConnectionRefusedError),
        "connection refused (nothing listens on that port)",
    ),
    (lambda seen: isinstance(seen, socket.gaierror), "no such host (the name does not resolve)"),
    (lambda seen: isinstance(seen, OSError) and seen.errno in _NO_ROUTE, "no route to the host"),
    (
        lambda seen: isinstance(seen, httpx.ConnectTimeout),
        "timeout while connecting (the machine may be asleep or behind a firewall)",
    ),
    (
        lambda seen: isinstance(seen, httpx.TimeoutException | TimeoutError),
        "timeout: it accepts the connection but does not answer",
    ),
    (
        lambda seen: isinstance(seen, httpx.UnsupportedProtocol | httpx.InvalidURL),
        "the address is no http:// or https:// URL",
    ),
)


def _broken(error: BaseException) -> str:
    return f"the connection broke ({type(error).__name__})"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return (error.reason or "handshake").replace("_", " ").lower()


def _chain(error: BaseException) -> list[BaseException]:
    """List *error*, its causes and the members of exception groups, outermost first."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        seen = waiting.pop(0)
        if seen is None or seen in found:
            continue
        found.append(seen)
        waiting += [seen.__cause__, seen.__context__, *_members(seen)]
    return found


def _members(error: BaseException) -> Sequence[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions
