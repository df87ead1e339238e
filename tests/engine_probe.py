"""A client that speaks to an engine as ComfyUI clients do, graphs to send, and the captured facts."""

import io
import json
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from PIL import Image
from websockets.sync.client import connect

DATA = Path(__file__).parent / "data" / "engine"
WAIT_S = 30
FILLED = {"checkpoints": 30, "loras": 57, "diffusion_models": 125}
NAMED = {
    "checkpoints": ("v1-5-pruned-emaonly-fp16.safetensors", "sd_xl_base_1.0.safetensors"),
    "diffusion_models": ("flux1-schnell.safetensors",),
    "loras": ("style.safetensors",),
    "vae": ("ae.safetensors",),
}
"""The captured server had that many files; the counts are part of its error messages."""


def captured(name):
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def models_of_the_captured_server():
    def filled(folder, names):
        fillers = [f"filler-{n}.safetensors" for n in range(FILLED.get(folder, 0) - len(names))]
        return (*names, *fillers)

    return {folder: filled(folder, names) for folder, names in NAMED.items()}


def png_bytes(size=(64, 48), colour=(10, 200, 30, 128), mode="RGBA"):
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def trivial(color=0, prefix="trivial"):
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": color},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": prefix}},
    }


def txt2img(text="a cat", *, seed=1, steps=2, cfg=7.0, size=(64, 64), batch=1, prefix="t2i", negative="bad"):
    return {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": seed,
                "steps": steps,
                "cfg": cfg,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "v1-5-pruned-emaonly-fp16.safetensors"},
        },
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": size[0], "height": size[1], "batch_size": batch},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": text, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": negative, "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": prefix, "images": ["8", 0]}},
    }


def brief(message):
    """Reduce a WebSocket message to what is the same in every run."""
    if isinstance(message, bytes):
        return ["binary", int.from_bytes(message[:4], "big")]
    kind, data = message["type"], message["data"]
    return [kind, *(BRIEF[kind](data) if kind in BRIEF else ())]


def _states(nodes):
    return {name: f"{node['value']:g}/{node['max']:g} {node['state']}" for name, node in nodes.items()}


def _failure(data):
    told = (data["node_id"], data["node_type"], data["exception_type"], data["exception_message"])
    return (*told, sorted(data["executed"]), data["current_inputs"], sorted(data["current_outputs"]))


BRIEF = {
    "status": lambda data: (data["status"]["exec_info"]["queue_remaining"], "sid" in data),
    "progress_state": lambda data: (_states(data["nodes"]),),
    "progress": lambda data: (data["node"], data["value"], data["max"]),
    "executing": lambda data: (data["node"],),
    "executed": lambda data: (data["node"], list(data["output"])),
    "execution_cached": lambda data: (data["nodes"],),
    "execution_error": _failure,
    "feature_flags": lambda data: (sorted(data),),
}


class Socket:
    """A WebSocket that remembers what it received."""

    def __init__(self, connection):
        self._connection = connection
        self.messages = []

    def send(self, message):
        self._connection.send(message if isinstance(message, str) else json.dumps(message))

    def next(self, timeout=WAIT_S):
        raw = self._connection.recv(timeout=timeout)
        self.messages.append(raw if isinstance(raw, bytes) else json.loads(raw))
        return self.messages[-1]

    def until(self, wanted):
        """Receive until *wanted* holds of a JSON message; return everything received on the way."""
        start = len(self.messages)
        while True:
            message = self.next()
            if not isinstance(message, bytes) and wanted(message):
                return self.messages[start:]

    def until_done(self, prompt_id):
        return self.until(
            lambda m: (
                m["type"] == "executing" and m["data"]["node"] is None and m["data"]["prompt_id"] == prompt_id
            )
        )

    def until_kind(self, kind):
        return self.until(lambda m: m["type"] == kind)

    def close(self):
        self._connection.close()


class Client:
    def __init__(self, server):
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=WAIT_S)
        self._open = ExitStack()
        self._open.enter_context(self.http)

    def close(self):
        self._open.close()

    def get(self, path, **options):
        return self.http.get(path, **options)

    def post(self, path, body=None, **options):
        return self.http.post(path, json=body, **options)

    def submit(self, graph, **more):
        reply = self.post("/prompt", {"prompt": graph, **more})
        assert reply.status_code == 200, reply.text
        return reply.json()["prompt_id"]

    def wait(self, prompt_id):
        """Return the history entry of a prompt, once there is one."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            if entry := self.get(f"/history/{prompt_id}").json().get(prompt_id):
                return entry
            time.sleep(0.01)
        raise TimeoutError(prompt_id)

    def run(self, graph, **more):
        return self.wait(self.submit(graph, **more))

    def picture(self, graph, node="9", index=0):
        """Run a graph and return one of its pictures."""
        images = self.run(graph)["outputs"][node]["images"]
        return Image.open(io.BytesIO(self.get("/view", params=images[index]).content))

    def socket(self, client_id=None, flags=None):
        """Connect, and send the announcement of *flags* as the first message."""
        query = f"?clientId={client_id}" if client_id else ""
        connection = self._open.enter_context(connect(self.server.ws_url + query, max_size=None))
        socket = Socket(connection)
        if flags is not None:
            socket.send({"type": "feature_flags", "data": flags})
        return socket

    def upload(self, name, content, kind="image/png", **fields):
        files = {"image": (name, content, kind)}
        return self.http.post("/upload/image", files=files, data=fields)
