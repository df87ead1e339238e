"""What hardening.py adds to the SDK, and the private names of the SDK that it stands on."""

import pytest
from mcp import Client, MCPError
from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from observe import error_text

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.server.hardening import HardenedServer
from comfygen_mcp.tools import ToolEntry

pytestmark = pytest.mark.anyio


async def paint(width: int, sampler: str = "euler") -> str:
    """Paint something."""
    if width == 1:
        raise BadRequest("width 1 is too narrow. Use 64 or more.")
    if width == 2:
        raise RuntimeError("the secret plan is in /root/plan.txt")
    if width == 3:
        raise BadRequest("x" * 5000)
    return sampler


@pytest.fixture
async def client():
    entry = ToolEntry(paint, "Paint", ToolAnnotations(read_only_hint=True))
    server = HardenedServer("test", tools=lambda: [entry], log_level="CRITICAL")
    async with Client(server) as connected:
        yield connected


async def test_our_own_error_reaches_the_model_word_for_word(client):
    assert (
        error_text(await client.call_tool("paint", {"width": 1})) == "width 1 is too narrow. Use 64 or more."
    )


async def test_a_crash_keeps_its_secrets(client):
    text = error_text(await client.call_tool("paint", {"width": 2}))

    assert "secret" not in text
    assert "/root" not in text


async def test_a_very_long_error_is_cut(client):
    assert len(error_text(await client.call_tool("paint", {"width": 3}))) <= 1900


async def test_an_unknown_argument_is_refused_with_the_nearest_one(client):
    text = error_text(await client.call_tool("paint", {"width": 64, "smpler": "x"}))

    assert text == "Invalid arguments for paint:\n- unknown argument 'smpler'; did you mean 'sampler'?"


async def test_an_argument_far_from_all_gets_the_list(client):
    assert "allowed: width, sampler" in error_text(await client.call_tool("paint", {"width": 64, "zzz": 1}))


async def test_a_missing_and_a_wrong_argument_are_named_in_short_lines(client):
    assert "- width is required" in error_text(await client.call_tool("paint", {}))
    wrong = error_text(await client.call_tool("paint", {"width": "wide"}))
    assert "- width:" in wrong
    assert "'wide'" in wrong
    assert "pydantic" not in wrong


async def test_an_unknown_tool_is_a_protocol_error_with_the_nearest_name(client):
    with pytest.raises(MCPError) as raised:
        await client.call_tool("pant", {})

    assert "did you mean paint?" in raised.value.error.message
    assert raised.value.error.code == -32602


async def test_numbers_sent_as_text_are_taken(client):
    result = await client.call_tool("paint", {"width": "64"})

    assert not result.is_error


def test_the_private_names_of_the_sdk_that_we_use_are_still_there():
    server = MCPServer("watch")

    assert hasattr(server, "_tool_manager")
    assert hasattr(server._tool_manager, "get_tool")
