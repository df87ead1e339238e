"""HTTP connections to an S3 server: bounded in every wait, and cut when nobody waits for them any more."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any, cast

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONCURRENCY = 8
"""Requests at a time: one thread and one connection each."""
SEND_S = 60.0
"""Longest time for sending one request: 8 MiB pass at 1.1 Mbit/s."""


class Operation:
    """One call to the server; *cut* ends it from another thread, also in the middle of a wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        """Mark this thread's requests as this operation's."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            with self._lock:
                self._over, self._socket = True, None

    def cut(self) -> None:
        """End the operation; nothing happens when it is over already."""
        with self._lock:
            self._over, cut = True, self._socket
        if cut is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own shutdown, which another thread may be in the middle of.
                socket.socket.shutdown(cut, socket.SHUT_RDWR)

    def hold(self, connected: socket.socket | None) -> None:
        """Remember the socket in use; raises ConnectionAbortedError when the operation was cut before."""
        with self._lock:
            if self._over:
                raise ConnectionAbortedError("nobody waits for this request any more")
            self._socket = connected


_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


def open_pool(*, connect_s: float, read_s: float) -> urllib3.PoolManager:
    """Return connections for the SDK, in place of its own, which try for minutes."""
    # Redirects would break the signature, and a server could make us wait for days by Retry-After.
    retries = urllib3.Retry(
        total=2,
        connect=1,
        read=1,
        redirect=0,
        backoff_factor=0.2,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=None,
        raise_on_redirect=False,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(certifi.where())
    pool = urllib3.PoolManager(
        maxsize=CONCURRENCY,
        retries=retries,
        timeout=urllib3.Timeout(connect=connect_s, read=read_s),
        ssl_context=trusted,
    )
    classes: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TLSPool}
    pool.pool_classes_by_scheme = cast("Any", classes)
    return pool


class _Connection(HTTPConnection):
    def request(self, *args: Any, **more: Any) -> None:
        _prepare(self)
        super().request(*args, **more)


class _TLSConnection(HTTPSConnection):
    def request(self, *args: Any, **more: Any) -> None:
        _prepare(self)
        super().request(*args, **more)


class _Pool(HTTPConnectionPool):
    ConnectionCls = cast("Any", _Connection)


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = cast("Any", _TLSConnection)


def _prepare(connection: HTTPConnection) -> None:
    operation = _current.get()
    if operation is not None:
        operation.hold(None)
    if connection.is_closed:
        connection.connect()
    if operation is not None:
        operation.hold(connection.sock)
    # The library would let the whole request be sent within the time for connecting.
    connection.timeout = SEND_S
