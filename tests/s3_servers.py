"""Real S3 servers on loopback for tests: rclone always, Ceph RGW where it is installed (rgw_server.py)."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from comfygen_mcp.stores.s3 import S3Store
from comfygen_mcp.stores.s3_bucket import S3Options

START_S = 20.0
ACCESS_KEY, SECRET_KEY = "AKIDTEST", "not-a-real-secret"


@dataclass(frozen=True)
class S3Server:
    """Where a server listens and the keys that it knows."""

    url: str
    access_key: str = ACCESS_KEY
    secret_key: str = field(default=SECRET_KEY, repr=False)

    def options(self, bucket, **changes):
        keys = {"access_key": self.access_key, "secret_key": self.secret_key}
        return S3Options(**{"url": self.url, "bucket": bucket, **keys, **changes})

    def environ(self, bucket):
        return {
            "COMFYGEN_STORE": f"s3://{bucket}",
            "COMFYGEN_S3_ENDPOINT": self.url,
            "COMFYGEN_S3_ACCESS_KEY": self.access_key,
            "COMFYGEN_S3_SECRET_KEY": self.secret_key,
        }


@contextlib.contextmanager
def opened(options):
    """Yield an S3Store that leaves no connection open."""
    store = S3Store(options)
    try:
        yield store
    finally:
        store.close()


class Rclone:
    """`with Rclone(folder) as server: server.s3.url`; it may be frozen, killed and started again.

    A bucket is a folder below *folder*, an object a file in it.
    """

    def __init__(self, folder, *more):
        self.folder = Path(folder)
        self._more = more
        self._port = free_port()
        self._process = None

    @property
    def s3(self):
        return S3Server(f"http://127.0.0.1:{self._port}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        program = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
        address = f"127.0.0.1:{self._port}"
        self._process = subprocess.Popen(
            [
                *(program, "serve", "s3", str(self.folder), "--addr", address),
                *("--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off"),
                *("--config", "/dev/null", *self._more),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_answer(f"http://{address}/")

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for_answer(url):
    """Return once *url* answers, with whatever status."""
    end = time.monotonic() + START_S
    while True:
        try:
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - a loopback server of ours
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
