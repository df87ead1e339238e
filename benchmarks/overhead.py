"""What comfygen adds to ComfyUI: model-free graphs through generate_image and a bare script, in turns.

usage: python benchmarks/overhead.py [rounds]
"""

import asyncio
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import websockets
from engine_process import running_engine
from mcp import Client
from table import show

from comfygen_mcp.app import open_app
from comfygen_mcp.config import Settings, load_settings
from comfygen_mcp.server import build_server

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "bench"}},
}
EDGES = (64, 1024)
TOOL_CALL = {"prompt": "x", "preview": "none"}
LONG_JOB = {"prompt": "a long job", "model": "sd15", "size": "256x256", "steps": 120, "wait_s": 0}
"""120 steps of 50 ms: about six seconds."""


async def main(rounds: int) -> None:
    """Measure in turns, so that a noisy moment hits both sides."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running_engine(step_ms=50) as url:
        settings = settings_for(Path(folder), url)
        submit, light = [], []
        async with httpx.AsyncClient(base_url=url) as http, connected(settings) as client:
            for edge in EDGES:
                bare, through = [], []
                for turn in range(rounds + 5):
                    first, second = await bare_run(http, url, edge, turn), await tool_run(client, edge)
                    if turn >= 5:  # the first ones warm caches and connections
                        bare.append(first)
                        through.append(second)
                show(
                    f"EmptyImage {edge}x{edge} -> SaveImage, POST to stored file",
                    {"bare httpx + websockets": bare, "generate_image": through},
                )
            for _ in range(rounds):
                submit.append(
                    await timed(client, "generate_image", {**TOOL_CALL, "workflow": "bench64", "wait_s": 0})
                )
                await asyncio.sleep(0.05)
            await client.call_tool("generate_image", LONG_JOB)
            ends = time.perf_counter() + 4
            while time.perf_counter() < ends:
                light.append(await timed(client, "list_presets", {}))
                await asyncio.sleep(0.01)
    show("submit alone (wait_s=0)", {"generate_image": submit})
    show("a light tool while a 6 s job runs", {"list_presets": light})


async def tool_run(client: Client, edge: int) -> float:
    """One picture through the tool, in milliseconds."""
    return await timed(client, "generate_image", {**TOOL_CALL, "workflow": f"bench{edge}"})


async def timed(client: Client, name: str, arguments: dict[str, Any]) -> float:
    started = time.perf_counter()
    result = await client.call_tool(name, arguments)
    took = (time.perf_counter() - started) * 1000
    if result.is_error:
        raise RuntimeError(str(result.content))
    return took


async def bare_run(http: httpx.AsyncClient, url: str, edge: int, turn: int) -> float:
    """What a careful script without any of our promises does: socket, POST, wait, history, download."""
    started = time.perf_counter()
    client_id, prompt_id = str(uuid.uuid4()), str(uuid.uuid4())
    graph = empty_image(edge)
    graph["1"]["inputs"]["color"] = turn
    graph["2"]["inputs"]["filename_prefix"] = f"bare/{prompt_id}"
    async with websockets.connect(f"{url.replace('http', 'ws')}/ws?clientId={client_id}") as socket:
        body = {"prompt": graph, "client_id": client_id, "prompt_id": prompt_id}
        (await http.post("/prompt", json=body)).raise_for_status()
        async for message in socket:
            data = json.loads(message)
            if data["type"] == "executing" and data["data"]["node"] is None:
                break
    history = (await http.get(f"/history/{prompt_id}")).json()[prompt_id]
    image = history["outputs"]["2"]["images"][0]
    picture = await http.get("/view", params=image)
    await asyncio.to_thread(Path(tempfile.gettempdir(), "bench-bare.png").write_bytes, picture.content)
    return (time.perf_counter() - started) * 1000


def empty_image(edge: int) -> dict[str, Any]:
    graph = json.loads(json.dumps(GRAPH))
    graph["1"]["inputs"] |= {"width": edge, "height": edge}
    return graph


def settings_for(folder: Path, url: str) -> Settings:
    workflows = folder / "workflows"
    workflows.mkdir()
    for edge in EDGES:
        (workflows / f"bench{edge}.json").write_text(json.dumps(empty_image(edge)), encoding="utf-8")
    environ = {
        "COMFYUI_URL": url,
        "COMFYGEN_STORE": str(folder / "gallery"),
        "COMFYGEN_INCOMING": str(folder / "incoming"),
        "COMFYGEN_WORKFLOW_DIRS": str(workflows),
    }
    return load_settings(environ=environ, cwd=folder).settings


def connected(settings: Settings) -> Client:
    return Client(build_server(lambda: open_app(settings, {})))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
