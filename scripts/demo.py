"""The main job through the highest door: a real MCP client starts the server and asks for a picture."""

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

console = Console(highlight=False)

PASSED_ON = ("COMFYUI_URL", "HOME", "PATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
"""A client gives its servers a nearly empty environment; these few, and COMFYGEN_*, are what matters here."""


def arguments(words: list[str]) -> dict[str, Any]:
    """Turn `"a fox" seed=7 size=16:9` into the tool's arguments."""
    named = [word for word in words if "=" in word and word.split("=", 1)[0].isidentifier()]
    prompt = " ".join(word for word in words if word not in named) or "a red fox in snow"
    return {"prompt": prompt, **dict(word.split("=", 1) for word in named)}


def main() -> int:
    """Run the demo with a folder, or after --s3 with a bucket of its own; return the exit status."""
    words = sys.argv[1:]
    if words[:1] != ["--s3"]:
        return anyio.run(generate, words, {})
    with s3_server() as environment:
        return anyio.run(generate, words[1:], environment)


async def generate(words: list[str], more: dict[str, str]) -> int:
    """Call generate_image and show what came back."""
    environment = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith("COMFYGEN_")}
    environment |= more
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "comfygen_mcp", "serve"], env=environment
    )
    with console.status("starting the MCP server ...") as status:

        async def progress(done: float, total: float | None, message: str | None) -> None:
            status.update(f"{done / (total or 100):4.0%}  {message or ''}")

        async with Client(stdio_client(server)) as client:
            call = arguments(words)
            console.print(f"[bold]generate_image[/] {json.dumps(call, ensure_ascii=False)}")
            result = await client.call_tool("generate_image", call, progress_callback=progress)
    return show(result)


def show(result: CallToolResult) -> int:
    """Print the tool's text, the file and the sidecar; return the exit status."""
    for block in result.content:
        if isinstance(block, TextContent):
            console.print(block.text, style="red" if result.is_error else None, markup=False, soft_wrap=True)
        else:
            size = f", {len(block.data) * 3 // 4:,} bytes" if block.type == "image" else ""
            console.print(
                f"[dim]({block.type}: {getattr(block, 'uri', block.mime_type)}{size})[/]", soft_wrap=True
            )
    if result.is_error or not result.structured_content:
        return 1
    for output in result.structured_content["outputs"]:
        if output["download_url"]:
            return 0 if show_object(console, output) else 1
        console.print(f"[bold]file[/]    {output['path'] or output['url']}", soft_wrap=True)
        show_sidecar(output)
    return 0


def show_sidecar(output: dict[str, Any]) -> None:
    """Print the sidecar of a local file, without its long parts."""
    if not output["path"]:
        return
    sidecar = Path(output["path"] + ".json")
    console.print(f"[bold]sidecar[/] {sidecar}", soft_wrap=True)
    recipe = json.loads(sidecar.read_text(encoding="utf-8"))
    for long in ("graph", "job"):
        recipe[long] = f"... {len(json.dumps(recipe[long])):,} characters ..."
    console.print_json(json.dumps(recipe))


if __name__ == "__main__":
    raise SystemExit(main())
