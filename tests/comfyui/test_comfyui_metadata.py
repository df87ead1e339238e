"""What a model file says about itself, as a server passes it on."""

import pytest
from replay_server import ReplayServer, Reply

from comfygen_mcp.errors import UnexpectedReply

pytestmark = pytest.mark.anyio

PATH = ("GET", "/view_metadata/loras")


async def test_the_metadata_of_a_file_is_asked_for_by_its_whole_name(client_of):
    async with ReplayServer({PATH: {"ss_network_dim": "4", "odd": 5}}).serving() as server:
        found = await client_of(server.url).metadata("loras", "sub\\a file.safetensors")

    assert found == {"ss_network_dim": "4"}
    assert server.requests[0].query["filename"] == "sub\\a file.safetensors"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(b"500 Internal Server Error\n\nServer got itself in trouble", 500, "text/plain"),
        Reply(["a list"]),
        Reply(None),
    ],
    ids=["missing", "empty file", "a list", "null"],
)
async def test_a_file_that_says_nothing_is_no_error(client_of, reply):
    async with ReplayServer({PATH: reply}).serving() as server:
        assert await client_of(server.url).metadata("loras", "a.safetensors") == {}


@pytest.mark.parametrize("reply", [Reply(b"<html>", type="text/html"), Reply(status=403), Reply(status=418)])
async def test_a_reply_that_is_none_of_comfyuis_is_an_error(client_of, reply):
    async with ReplayServer({PATH: reply}).serving() as server:
        with pytest.raises(UnexpectedReply):
            await client_of(server.url).metadata("loras", "a.safetensors")
