"""An engine behind a layer that counts requests and spoils chosen ones."""

import contextlib

from engine_server import EngineServer

VERSIONS = ("0.33.0", "0.3.64")


class Faults:
    """An ASGI layer that counts requests and spoils chosen ones."""

    def __init__(self, app):
        self.app = app
        self.seen = []
        self.spoil = {}

    async def __call__(self, scope, receive, send):
        if scope["type"] in {"http", "websocket"}:
            self.seen.append((scope.get("method", "WS"), scope["path"]))
            spoil = self.spoil.pop((scope.get("method", "WS"), scope["path"]), None)
            if spoil:
                await spoil(self.app, scope, receive, send)
                return
        await self.app(scope, receive, send)


@contextlib.contextmanager
def serving(version, **options):
    """Run an engine behind a layer of faults."""
    layers = []

    def wrap(app):
        layers.append(Faults(app))
        return layers[0]

    with EngineServer(wrap=wrap, comfyui_version=version, **options) as server:
        yield server, layers[0]
