"""An engine that declares its node classes as a test likes, and passes for a server that was installed."""

import json

from engine_server import EngineServer


class DeclaringEngine(EngineServer):
    """*declare* is called with every reply of /object_info, and may change it; set it anew at any time."""

    def __init__(self, folder=None, **options):
        super().__init__(folder, wrap=self._layer, **options)
        self.declare = lambda classes: None
        self.asked = []

    def _layer(self, app):
        async def layered(scope, receive, send):
            path = scope.get("path", "")
            if scope["type"] != "http" or not path.startswith(("/object_info", "/system_stats")):
                await app(scope, receive, send)
                return
            self.asked.append(path)
            head, body = await _reply(app, scope, receive)
            await _send(send, head, self._changed(path, json.loads(body)))

        return layered

    def _changed(self, path, reply):
        if path == "/system_stats":
            # What the embedded engine declares is not kept between processes.
            del reply["system"]["comfygen_engine"]
        else:
            self.declare(reply)
        return reply


async def _reply(app, scope, receive):
    head, body = {}, []

    async def kept(message):
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            body.append(message.get("body", b""))

    await app(scope, receive, kept)
    return head, b"".join(body)


async def _send(send, head, reply):
    body = json.dumps(reply).encode()
    headers = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
    await send({**head, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
