"""A layer in front of the engine that remembers every request and answers some of them with lies."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Lie:
    """Changes the answers (status, body) to requests of *method* whose path begins with *path*."""

    method: str
    path: str
    tell: Callable[[int, bytes], tuple[int, bytes]]


@dataclass(frozen=True)
class Misheard:
    """Changes the bodies of such requests before the engine reads them."""

    method: str
    path: str
    hear: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Mute:
    """Lets only `status` messages through to the sockets."""


@dataclass(frozen=True)
class NoSocket:
    """Refuses every WebSocket, as a proxy does that does not know them."""


class Layer:
    def __init__(self, app, lies):
        self.app = app
        self.lies = lies
        self.posts = []
        self.signed = set()

    async def __call__(self, scope, receive, send):
        if scope["type"] in {"http", "websocket"}:
            self.signed.add(dict(scope["headers"]).get(b"authorization"))
        if scope["type"] == "websocket" and any(isinstance(lie, NoSocket) for lie in self.lies):
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "websocket" and any(isinstance(lie, Mute) for lie in self.lies):
            await self.app(scope, receive, _status_only(send))
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope, receive, send):
        body = await _whole(receive)
        if scope["method"] == "POST":
            self.posts.append((scope["path"], body))
        for lie in self._about(scope, Misheard):
            body = lie.hear(body)
        lies = self._about(scope, Lie)
        headers = [(k, v) for k, v in scope["headers"] if k != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        scope = {**scope, "headers": [*headers, length]}
        await self.app(scope, _once(body, receive), _Answer(send, lies) if lies else send)

    def _about(self, scope, kind):
        mine = [lie for lie in self.lies if isinstance(lie, kind)]
        return [lie for lie in mine if scope["method"] == lie.method and scope["path"].startswith(lie.path)]


class _Answer:
    """Collects an answer, and sends what the lies make of it."""

    def __init__(self, send, lies):
        self.send, self.lies, self.body = send, lies, b""

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self.start = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        status, body = self.start["status"], self.body
        for lie in self.lies:
            status, body = lie.tell(status, body)
        kept = [(k, v) for k, v in self.start["headers"] if k != b"content-length"]
        headers = [*kept, (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def told(method, path, change: Callable[[Any], Any], *, status=None):
    """Return a lie that changes the JSON of successful answers, or of those with *status*."""

    def tell(its_status, body):
        if its_status != (status or 200):
            return its_status, body
        return its_status, json.dumps(change(json.loads(body))).encode()

    return Lie(method, path, tell)


def half(status, body):
    return status, body[: len(body) // 2] if status == 200 else body


def white(status, body):
    return (status, _even((64, 64))) if status == 200 else (status, body)


def even_when_drawn(status, body):
    """Replace what the sampler drew, and no smaller picture, by white."""
    if body[:4] != b"\x89PNG":
        return status, body
    with Image.open(io.BytesIO(body)) as picture:
        return status, _even(picture.size) if picture.width == 256 else body


def first_frame(status, body):
    """Reduce an animated WebP to its first frame."""
    if body[8:12] != b"WEBP":
        return status, body
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(body)) as picture:
        picture.save(buffer, "WEBP", lossless=True)
    return status, buffer.getvalue()


def _even(size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, "PNG")
    return buffer.getvalue()


def _status_only(send):
    async def quiet(message):
        if message["type"] != "websocket.send" or '"status"' in (message.get("text") or ""):
            await send(message)

    return quiet


def _once(body, receive):
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def received():
        return waiting.pop() if waiting else await receive()

    return received


async def _whole(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body
