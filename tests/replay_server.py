"""A scripted HTTP and WebSocket server: answers as a transcript says, and misbehaves on demand."""

import asyncio
import base64
import hashlib
import json
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

DATA = Path(__file__).parent / "data" / "comfyui"
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GREETING = {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "s"}}
EMPTY_QUEUE = {"queue_running": [], "queue_pending": []}


def transcript(name):
    """Return one captured exchange of tests/data/comfyui."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@dataclass
class Reply:
    """One answer; *fault* is what goes wrong: "cut" (no answer), "half" (a body), "unsized" or "hang"."""

    body: object = b""
    status: int = 200
    type: str = "application/json"
    headers: dict = field(default_factory=dict)
    fault: str | None = None

    @property
    def data(self):
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


CUT = object()
"""In a socket script: drop the connection without a closing handshake."""
POSTED = object()
"""In a socket script: wait until a prompt has been posted."""


class ReplayServer:
    """*routes* maps (method, path) to replies, given in turn, or to a function of the request.

    *socket* is what a new WebSocket gets; a list of lists scripts one connection after the other.
    """

    def __init__(self, routes=None, socket=(GREETING,), *, socket_status=101):
        self.routes = {("GET", "/queue"): EMPTY_QUEUE, **(routes or {})}
        self.scripts = [list(socket)] if not socket or not isinstance(socket[0], list) else [*socket]
        self.socket_status = socket_status
        self.requests = []
        self.sockets = []
        self.posted = asyncio.Event()
        self._turn = {}
        self._tasks = set()

    @asynccontextmanager
    async def serving(self, tls=None):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        try:
            yield self
        finally:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()

    def count(self, method, path):
        return sum(1 for r in self.requests if r.method == method and r.path.startswith(path))

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while request := await self._request(reader):
                self.requests.append(request)
                if request.headers.get("upgrade", "").lower() == "websocket":
                    await self._socket(request, reader, writer)
                    return
                if not await self._answer(request, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _request(self, reader):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        method, target, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        return Request(method, unquote(parts.path), query, headers, body)

    async def _answer(self, request, writer):
        """Send the scripted reply; False when the connection is over."""
        reply = self._reply(request)
        if reply.fault == "hang":
            await asyncio.Event().wait()
        if reply.fault == "cut":
            return False
        head = {"Content-Type": reply.type, "Content-Length": len(reply.data), **reply.headers}
        if reply.fault == "unsized":
            del head["Content-Length"]
        lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{k}: {v}" for k, v in head.items())]
        data = reply.data[: len(reply.data) // 2] if reply.fault == "half" else reply.data
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await writer.drain()
        if request.method == "POST" and request.path.endswith("/prompt") and reply.status == 200:
            self.posted.set()
        return reply.fault is None

    def _reply(self, request):
        key = (request.method, request.path)
        found = self.routes.get(key, Reply(status=404))
        if callable(found):
            found = found(request)
        if isinstance(found, list) and found and isinstance(found[0], Reply):
            turn = self._turn[key] = self._turn.get(key, -1) + 1
            found = found[min(turn, len(found) - 1)]
        return found if isinstance(found, Reply) else Reply(found)

    async def _socket(self, request, reader, writer):
        if self.socket_status != 101:
            writer.write(f"HTTP/1.1 {self.socket_status} No\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        key = hashlib.sha1(request.headers["sec-websocket-key"].encode() + _ACCEPT).digest()  # noqa: S324 - RFC 6455
        accept = base64.b64encode(key).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        script = self.scripts[min(len(self.sockets), len(self.scripts) - 1)]
        self.sockets.append(request.query.get("clientId"))
        listening = asyncio.ensure_future(_listen(reader, writer))
        try:
            if await self._play(script, writer):
                await listening
        finally:
            listening.cancel()

    async def _play(self, script, writer):
        """Send *script*; False when it ends with the connection."""
        for message in script:
            if message is CUT or (isinstance(message, dict) and "closed" in message):
                return False
            if message is POSTED:
                await self.posted.wait()
            elif isinstance(message, asyncio.Event):
                await message.wait()
            else:
                writer.write(_frame(message))
                await writer.drain()
        return True


def run_script(run):
    """Return the socket script of a captured run: the greeting, and after the POST everything else."""
    first, *rest = run["messages"]
    return [first, POSTED, *rest]


def run_routes(run):
    """Return the HTTP side of a captured run: its acceptance and its history."""
    prompt_id = run["prompt_response"]["prompt_id"]
    return {("POST", "/prompt"): run["prompt_response"], ("GET", f"/history/{prompt_id}"): run["history"]}


def _frame(message):
    """Encode one server frame: JSON as text, a binary event as ComfyUI lays it out."""
    if isinstance(message, dict) and "binary" in message:
        metadata = json.dumps(message["metadata"]).encode() if message["metadata"] else b""
        head = struct.pack(">I", len(metadata)) if metadata else struct.pack(">I", 1)
        return _framed(0x2, struct.pack(">I", message["binary"]) + head + metadata + b"\xff\xd8\xff\xe0")
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return _framed(0x1, data)


def _framed(opcode, data):
    size = len(data)
    if size < 126:
        return bytes([0x80 | opcode, size]) + data
    return bytes([0x80 | opcode, 126]) + struct.pack(">H", size) + data


async def _listen(reader, writer):
    """Read the client's frames; answer a closing one, so that closing is orderly."""
    try:
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", await reader.readexactly(2))[0]
            await reader.readexactly(4 + size)
            if first & 0x0F == 0x8:
                writer.write(_framed(0x8, b""))
                await writer.drain()
                return
    except (ConnectionError, asyncio.IncompleteReadError):
        return
