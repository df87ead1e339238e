"""A real S3 server on loopback for the demo: rclone over a temporary folder, with keys made for this run."""

import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

START_S = 20.0
BUCKET = "comfy-gen"


@contextmanager
def s3_server() -> Generator[dict[str, str]]:
    """Run the server and yield the environment variables that make comfygen store there."""
    access_key, secret_key = "demo", secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="comfygen-s3-") as folder:
        served, spool = Path(folder) / "served", Path(folder) / "spool"
        served.mkdir()
        address = f"127.0.0.1:{_free_port()}"
        rclone = Path(sys.executable).with_name("rclone")
        words = ["--addr", address, "--auth-key", f"{access_key},{secret_key}", "--config", ""]
        server = subprocess.Popen(  # noqa: S603 - our own environment's program
            [str(rclone), "serve", "s3", str(served), "--vfs-cache-mode", "off", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(f"http://{address}/")
            yield {
                "COMFYGEN_STORE": f"s3://{BUCKET}",
                "COMFYGEN_S3_ENDPOINT": f"http://{address}",
                "COMFYGEN_S3_ACCESS_KEY": access_key,
                "COMFYGEN_S3_SECRET_KEY": secret_key,
                "COMFYGEN_SPOOL": str(spool),
            }
        finally:
            server.kill()
            server.wait()


def show_object(console: Console, output: dict[str, Any]) -> bool:
    """Print both addresses of a stored picture and fetch it by the signed one; tell whether all is well."""
    console.print(f"[bold]canonical[/] {output['url']}", soft_wrap=True)
    console.print(f"[bold]presigned[/] {output['download_url']}", soft_wrap=True, markup=True)
    unsigned, _ = _fetch(output["url"])
    status, data = _fetch(output["download_url"])
    console.print(
        f"[bold]fetched[/]   presigned: HTTP {status}, {len(data):,} bytes; unsigned: HTTP {unsigned}"
    )
    return status == 200 and len(data) == output["size_bytes"] and unsigned in (400, 401, 403)


def _fetch(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:  # noqa: S310 - our own loopback server
            return reply.status, reply.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, b""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            _fetch(url)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
