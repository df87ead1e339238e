"""Starts an engine in a process of its own: `python -m comfygen_mcp.engine --folder DIR --state FILE`."""

import argparse
import logging
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

from comfygen_mcp.engine.offered import bundled_models, models_from
from comfygen_mcp.engine.options import EngineOptions


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    _log_to(given.log)
    try:
        options = EngineOptions(
            folder=given.folder,
            models=models_from(given.models) if given.models else bundled_models(),
            comfyui_version=given.comfyui_version,
            step_ms=given.step_ms,
            idle_s=given.idle_s or None,
            loopback_only=_is_loopback(given.host),
        )
        listener = _listener(given.host, given.port)
    except (OSError, OverflowError, ValueError) as error:
        sys.stderr.write(f"The engine cannot start on {given.host}:{given.port}: {error}\n")
        return 1
    with listener:
        from comfygen_mcp.engine.serving import serve

        serve(options, listener, given.state)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m comfygen_mcp.engine", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds input/, output/, temp/ and models/")
    parser.add_argument("--state", type=Path, required=True, help="written once listening, removed on exit")
    parser.add_argument("--host", default="127.0.0.1", help="there is no authentication: keep it on loopback")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--idle-s", type=float, default=600, help="exit after that long without use; 0 never")
    parser.add_argument("--models", type=Path, help='JSON file: {"folder": ["file", ...]}')
    parser.add_argument("--comfyui-version", choices=("0.33.0", "0.3.64"), default="0.33.0")
    parser.add_argument("--step-ms", type=float, default=0, help="extra time for each sampler step")
    parser.add_argument("--log", type=Path, help="log file; without it warnings go to stderr")
    return parser


def _listener(host: str, port: int) -> socket.socket:
    """Return a listening socket that names its protocol: asyncio sets TCP_NODELAY only on such ones.

    Without it every reply of two writes waits some 40 ms for the peer's delayed acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option would let two engines share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to(file: Path | None) -> None:
    level = logging.INFO if file else logging.WARNING
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(filename=file, level=level, format=form, encoding="utf-8" if file else None)


if __name__ == "__main__":
    sys.exit(main())
