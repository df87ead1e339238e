"""An engine behind a layer that counts requests and spoils chosen ones."""

import asyncio
import contextlib
import functools

from engine_server import EngineServer

VERSIONS = ("0.33.0", "0.3.64")


class Faults:
    """An ASGI layer that counts requests and spoils chosen ones."""

    def __init__(self, app):
        self.app = app
        self.closing = []
        self.seen = []
        self.spoil = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] in {"http", "websocket"}:
            self.seen.append((scope.get("method", "WS"), scope["path"]))
            spoil = self.spoil.pop((scope.get("method", "WS"), scope["path"]), None)
            if spoil:
                await spoil(self.app, scope, receive, send)
                return
        if scope["type"] == "websocket":
            await self._closable(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def cut_sockets(self):
        """Close every WebSocket that is open now, as a dying proxy would."""
        for close in self.closing:
            close()

    async def _closable(self, scope, receive, send):
        loop, cut = asyncio.get_running_loop(), asyncio.Event()
        close = functools.partial(loop.call_soon_threadsafe, cut.set)
        self.closing.append(close)
        serving = asyncio.create_task(self.app(scope, receive, send))
        cutting = asyncio.create_task(cut.wait())
        await asyncio.wait({serving, cutting}, return_when=asyncio.FIRST_COMPLETED)
        self.closing.remove(close)
        if not serving.done():
            await send({"type": "websocket.close", "code": 1012})
        cutting.cancel()
        serving.cancel()
        await asyncio.gather(serving, cutting, return_exceptions=True)


@contextlib.contextmanager
def serving(version, **options):
    """Run an engine behind a layer of faults."""
    layers = []

    def wrap(app):
        layers.append(Faults(app))
        return layers[0]

    with EngineServer(wrap=wrap, comfyui_version=version, **options) as server:
        yield server, layers[0]
