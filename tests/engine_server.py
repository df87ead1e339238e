"""The embedded engine on a loopback port, in a thread of the test process; any ASGI layer may go in front."""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from comfygen_mcp.engine.app import EngineOptions, create_app
from comfygen_mcp.engine.offered import bundled_models

START_TIMEOUT_S = 20
LORAS = ("style.safetensors", "sub/dir/nested.safetensors")


class EngineServer:
    """`with EngineServer(wrap=MyFaults) as server: server.url`.

    *options* are fields of EngineOptions; without *folder* a temporary one is used, without `models` those of
    the bundled workflows and two LoRAs are offered.
    *wrap* is called with the application and returns what is served instead.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        wrap: Callable[[ASGIApp], ASGIApp] | None = None,
        port: int = 0,
        **options: Any,
    ) -> None:
        self._own_folder = None if folder else tempfile.TemporaryDirectory(prefix="engine-")
        bundled = bundled_models()
        options.setdefault("models", {**bundled, "loras": (*bundled.get("loras", ()), *LORAS)})
        self.options = EngineOptions(folder=folder or Path(self._own_folder.name), **options)
        self._wrap = wrap
        self._port = port
        self.app: Starlette

    @property
    def folder(self) -> Path:
        return self.options.folder

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/ws"

    @property
    def engine(self) -> Any:
        return self.app.state.engine

    def __enter__(self) -> Self:
        # Named as TCP, so that asyncio sets TCP_NODELAY: else replies wait 40 ms for an acknowledgement.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self._port))
        self._listener.listen(128)
        self._port = self._listener.getsockname()[1]
        started = threading.Event()
        self._server = _Server(started)
        self._thread = threading.Thread(target=self._serve, name="engine-server", daemon=True)
        self._thread.start()
        if not started.wait(START_TIMEOUT_S):
            raise TimeoutError(f"the engine did not start within {START_TIMEOUT_S} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_S)
        self._listener.close()
        if self._own_folder:
            self._own_folder.cleanup()

    def _serve(self) -> None:
        self.app = create_app(self.options)
        served = self._wrap(self.app) if self._wrap else self.app
        self._server.configure(served)
        self._server.run(sockets=[self._listener])


class _Server(uvicorn.Server):
    def __init__(self, started: threading.Event) -> None:
        self._announce = started

    def configure(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            lifespan="on",
            ws_ping_interval=None,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce.set()

    @contextlib.contextmanager
    def capture_signals(self):
        yield
