"""Renders docs/tools.md from the tools as a client lists them."""

from typing import Any

import anyio
from mcp.types import Tool

from comfygen_mcp.config import Settings
from comfygen_mcp.server import INSTRUCTIONS, build_server
from comfygen_mcp.server.app_page import ONLY_FOR_PAGE
from comfygen_mcp.tools import MANAGE, READS

HEAD = """\
# Tools

<!-- Made by scripts/generate-docs from the tools themselves; change those, then run it again. -->

What an MCP client sees. Unknown arguments are refused with the nearest known one; every failure that can be
foreseen is an error result whose text names the cause, the value, what is valid and the next step.
Structured results hold no bytes.

The server's instructions to the model:
"""


def tools_page() -> str:
    """Return the page: the instructions, then one section per tool."""
    server = build_server(_refuse, settings=lambda: Settings(manage=True))
    tools = [tool for tool in anyio.run(server.list_tools) if tool.name not in ONLY_FOR_PAGE]
    quoted = "\n".join(f"> {line}" for line in INSTRUCTIONS.strip().splitlines())
    return "\n\n".join([HEAD + "\n" + quoted, *(_section(tool) for tool in tools)]) + "\n"


def _section(tool: Tool) -> str:
    reads = tool.name in {entry.function.__name__ for entry in READS}
    doc = "\n".join(line.strip() for line in (tool.description or "").splitlines())
    managing = tool.name in {entry.function.__name__ for entry in MANAGE}
    does = (
        "only reads"
        if reads
        else "changes what is stored; with `manage: true` only"
        if managing
        else "writes"
    )
    parts = [f"## {tool.name}", f"*{tool.title}* ({does})", doc.strip()]
    if tool.input_schema["properties"]:
        parts.append("\n".join(["| argument | type | default | |", "|---|---|---|---|", *_arguments(tool)]))
    parts.append(_returned(tool))
    return "\n\n".join(parts)


def _returned(tool: Tool) -> str:
    schema = tool.output_schema or {}
    names = ", ".join(f"`{name}`" for name in schema.get("properties", {}))
    alike = schema.get("description", "").removeprefix("Like that of ")
    return f"Returns {names}." if names else f"Returns what [{alike}](#{alike}) returns."


def _arguments(tool: Tool) -> list[str]:
    required = tool.input_schema.get("required", [])
    return [
        f"| `{name}` | {_type(schema)} | {'required' if name in required else _default(schema)} "
        f"| {schema.get('description', '')} |"
        for name, schema in tool.input_schema["properties"].items()
    ]


def _type(schema: dict[str, Any]) -> str:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    words = [_words(option) for option in options]
    bounds = [f"{o.get('minimum')} to {o.get('maximum')}" for o in options if "maximum" in o]
    return ", ".join([" or ".join(words), *bounds])


def _words(option: dict[str, Any]) -> str:
    if "enum" in option:
        return " or ".join(f"`{value}`" for value in option["enum"] if value is not None)
    if "type" not in option:
        return "any"
    types = option["type"] if isinstance(option["type"], list) else [option["type"]]
    return " or ".join(name for name in types if name != "null")


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _refuse() -> Any:
    raise RuntimeError("listing tools opens no app")
