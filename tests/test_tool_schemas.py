"""The surface that models see: reviewed snapshots, annotations, and a byte budget."""

import json
import os
from pathlib import Path

import pytest
from mcp import Client

from comfygen_mcp.config import Settings
from comfygen_mcp.server import INSTRUCTIONS, build_server
from comfygen_mcp.tools import MANAGE, TOOLS

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).parent / "snapshots"
INPUT_BUDGET = 11_900
"""Bytes of the whole answer to tools/list without output schemas; of the tools with them, OUTPUT_BUDGET."""
OUTPUT_BUDGET = 20_000
CORE_TOOLS = 16
OFFERED = [entry.function.__name__ for entry in (*TOOLS, *MANAGE)]
TEXT_LIMIT = 2048
"""Clients cut descriptions and instructions here."""


def refuse():
    raise AssertionError("listing tools must not open the app")


@pytest.fixture
async def listed():
    async with Client(build_server(refuse, settings=lambda: Settings(manage=True))) as client:
        return (await client.list_tools()).tools


def as_json(tool):
    return json.loads(tool.model_dump_json(by_alias=True, exclude_none=True))


def bytes_on_the_wire(value):
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("name", OFFERED)
async def test_the_schema_of_a_tool_is_the_reviewed_one(listed, name):
    tool = as_json(next(tool for tool in listed if tool.name == name))
    snapshot = SNAPSHOTS / f"{name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(json.dumps(tool, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    assert json.loads(snapshot.read_text(encoding="utf-8")) == tool


def test_no_snapshot_is_left_over():
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(OFFERED)


async def test_the_core_tools_fit_the_byte_budget():
    async with Client(build_server(refuse)) as client:
        result = as_json(await client.list_tools())
    tools = result["tools"]
    without_output = [{k: v for k, v in tool.items() if k != "outputSchema"} for tool in tools]

    assert len(tools) == CORE_TOOLS
    answer = {"jsonrpc": "2.0", "id": 1, "result": {**result, "tools": without_output}}
    assert bytes_on_the_wire(answer) <= INPUT_BUDGET
    assert bytes_on_the_wire(tools) <= OUTPUT_BUDGET


async def test_every_tool_says_what_it_is_and_what_it_may_do(listed):
    for tool in listed:
        assert tool.title
        assert 20 < len(tool.description) < TEXT_LIMIT
        assert tool.annotations.read_only_hint is not None
        assert tool.annotations.open_world_hint is False
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert '"title"' not in json.dumps(tool.input_schema["properties"])


def test_the_instructions_fit_and_name_only_tools_that_exist():
    words = {word.strip("().,:") for word in INSTRUCTIONS.replace("(", " ").split()}
    named = {
        word
        for word in words
        if word.startswith(("get_", "list_", "generate_", "cancel_", "search_", "compare_"))
    }

    assert len(INSTRUCTIONS.encode()) <= TEXT_LIMIT
    assert named <= {*OFFERED, "generation_id"}
