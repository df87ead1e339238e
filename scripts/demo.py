"""The main job through the highest door: a real MCP client starts the server and asks for a picture."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
from demo_s3 import s3_server, show_object
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent
from rich.console import Console
from rich.markup import escape

from comfygen_mcp.tools.generation import generate_image
from comfygen_mcp.tools.views import shortened

console = Console(highlight=False)

PASSED_ON = ("COMFYUI_URL", "HOME", "PATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
"""A client gives its servers a nearly empty environment; these few, and COMFYGEN_*, are what matters here."""


KNOBS = set(generate_image.__annotations__) - {"app", "caller", "ctx", "prompt", "wait_s", "return"}
"""What may follow as name=value; the demo always waits for the picture."""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="./scripts/demo", description=__doc__)
    parser.add_argument("words", nargs="*", help="the prompt, and generate_image arguments as name=value")
    parser.add_argument("--s3", action="store_true", help="store the picture in a real S3 server of its own")
    return parser.parse_args()


def arguments(words: list[str]) -> dict[str, Any]:
    """Turn `"a fox" seed=7 size=16:9` into arguments; other text with `=` is part of the prompt."""
    named = [word for word in words if word.partition("=")[1] and word.partition("=")[0] in KNOBS]
    prompt = " ".join(word for word in words if word not in named)
    return {"prompt": prompt if words else "a red fox in snow", **dict(w.split("=", 1) for w in named)}


def main() -> int:
    """Run the demo with a folder, or with a bucket of its own; return the exit status."""
    given = options()
    try:
        if not given.s3:
            return anyio.run(generate, given.words, {})
        with s3_server() as environment:
            return anyio.run(generate, given.words, environment)
    except KeyboardInterrupt:
        console.print("cancelled")
        return 130


async def generate(words: list[str], more: dict[str, str]) -> int:
    """Call generate_image and show what came back."""
    environment = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith("COMFYGEN_")}
    environment |= more
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "comfygen_mcp", "serve"], env=environment
    )
    with console.status("starting the MCP server ...") as status:

        async def progress(done: float, total: float | None, message: str | None) -> None:
            status.update(f"{done / (total or 100):4.0%}  {escape(message or '')}")

        async with Client(stdio_client(server)) as client:
            call = arguments(words)
            shown = json.dumps({**call, "prompt": shortened(call["prompt"])}, ensure_ascii=False)
            console.print(f"generate_image {shown}", markup=False, soft_wrap=True)
            result = await client.call_tool("generate_image", call, progress_callback=progress)
            while (waiting := running_job(result)) is not None:
                job = {"job_id": waiting, "wait_s": 45}
                result = await client.call_tool("get_job", job, progress_callback=progress)
    return show(result)


def running_job(result: CallToolResult) -> str | None:
    """Return the id of the job that *result* says is still running."""
    view = result.structured_content or {}
    job = view.get("jobs", [view])[0]
    return job["job_id"] if job.get("status") in ("queued", "running") else None


def show(result: CallToolResult) -> int:
    """Print the tool's text, the file and the sidecar; return the exit status."""
    for block in result.content:
        if isinstance(block, TextContent):
            console.print(block.text, style="red" if result.is_error else None, markup=False, soft_wrap=True)
        else:
            size = f", {len(block.data) * 3 // 4:,} bytes" if block.type == "image" else ""
            told = f"({block.type}: {getattr(block, 'uri', block.mime_type)}{size})"
            console.print(told, style="dim", markup=False, soft_wrap=True)
    if result.is_error or not result.structured_content:
        return 1
    view = result.structured_content
    for output in view.get("jobs", [view])[0]["outputs"]:
        if output["download_url"]:
            return 0 if show_object(console, output) else 1
        console.print(f"file    {output['path'] or output['url']}", markup=False, soft_wrap=True)
        show_sidecar(output)
    return 0


def show_sidecar(output: dict[str, Any]) -> None:
    """Print the sidecar of a local file, without its long parts."""
    if not output["path"]:
        return
    sidecar = Path(output["path"] + ".json")
    console.print(f"sidecar {sidecar}", markup=False, soft_wrap=True)
    recipe = json.loads(sidecar.read_text(encoding="utf-8"))
    for long in ("graph", "job"):
        recipe[long] = f"... {len(json.dumps(recipe[long])):,} characters ..."
    recipe["prompt"] = shortened(recipe["prompt"])
    console.print_json(json.dumps(recipe))


if __name__ == "__main__":
    raise SystemExit(main())
