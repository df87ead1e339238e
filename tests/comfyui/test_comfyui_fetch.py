"""Fetching outputs: whole or not at all."""

import hashlib

import pytest
from replay_server import ReplayServer, Reply

from comfygen_mcp.comfyui.outputs import RemoteFile, RemoteText
from comfygen_mcp.errors import BackendUnreachable, StoreFailed, UnexpectedReply

pytestmark = pytest.mark.anyio

PICTURE = bytes(range(256)) * 5000
FILE = RemoteFile(node_id="9", filename="a b(1) é&.png", subfolder="comfygen/x y")


async def fetched(client_of, into, replies, *, remote=FILE, client=None, **options):
    async with ReplayServer({("GET", "/view"): replies}).serving() as server:
        return server, await client_of(server.url, **(client or {})).fetch(remote, into, **options)


async def test_a_file_is_streamed_hashed_and_named_by_us(client_of, tmp_path):
    server, output = await fetched(client_of, tmp_path, Reply(PICTURE, type="image/png"), index=3)

    assert output.path.read_bytes() == PICTURE
    assert output.path.name == "003_a_b_1_é_.png"
    assert output.filename == FILE.filename
    assert (output.media, output.mime, output.index, output.node_id) == ("image", "image/png", 3, "9")
    assert output.size_bytes == len(PICTURE)
    assert output.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert server.requests[0].query == {
        "filename": "a b(1) é&.png",
        "subfolder": "comfygen/x y",
        "type": "output",
    }
    assert list(tmp_path.iterdir()) == [output.path]


async def test_a_servers_file_name_never_leaves_the_folder(client_of, tmp_path):
    remote = RemoteFile(node_id="1", filename="..\\..\\/../evil.png", type="temp")
    _, output = await fetched(client_of, tmp_path, Reply(PICTURE), remote=remote)

    assert output.path == tmp_path / "000_evil.png"
    assert output.temporary


async def test_half_a_body_is_fetched_once_more(client_of, tmp_path):
    server, output = await fetched(client_of, tmp_path, [Reply(PICTURE, fault="half"), Reply(PICTURE)])

    assert len(server.requests) == 2
    assert output.size_bytes == len(PICTURE)
    assert list(tmp_path.iterdir()) == [output.path]


async def test_half_a_body_twice_is_an_error_and_leaves_nothing_behind(client_of, tmp_path):
    with pytest.raises(BackendUnreachable, match="did not arrive whole, the connection broke"):
        await fetched(client_of, tmp_path, Reply(PICTURE, fault="half"))

    assert list(tmp_path.iterdir()) == []


async def test_a_deleted_file_of_a_cached_output_is_explained(client_of, tmp_path):
    with pytest.raises(UnexpectedReply) as caught:
        await fetched(client_of, tmp_path, Reply(status=404))

    assert "'comfygen/x y/a b(1) é&.png'" in str(caught.value)
    assert "no longer on the server" in str(caught.value)
    assert "another filename_prefix" in str(caught.value)


@pytest.mark.parametrize("fault", [None, "unsized"])
async def test_a_file_above_the_cap_is_refused_announced_or_not(client_of, tmp_path, fault):
    with pytest.raises(UnexpectedReply, match="at most 1000 are taken"):
        await fetched(client_of, tmp_path, Reply(PICTURE, fault=fault), max_bytes=1000)

    assert list(tmp_path.iterdir()) == []


async def test_a_server_error_is_told_in_one_line(client_of, tmp_path):
    with pytest.raises(UnexpectedReply, match="HTTP 500 500 Internal Server Error"):
        await fetched(client_of, tmp_path, Reply(b"500 Internal Server Error\n\ntrouble", status=500))


async def test_a_transfer_that_never_ends_is_bounded(client_of, tmp_path):
    with pytest.raises(BackendUnreachable, match=r"could not be fetched within 0.1 s"):
        await fetched(client_of, tmp_path, Reply(fault="hang"), client={"transfer_s": 0.1})


async def test_a_folder_that_cannot_be_written_is_a_store_failure(client_of, tmp_path):
    with pytest.raises(StoreFailed, match="cannot be written") as caught:
        await fetched(client_of, tmp_path / "gone", Reply(PICTURE))

    assert str(tmp_path) not in str(caught.value)


async def test_a_text_output_becomes_a_file_without_a_request(client_of, tmp_path):
    server, output = await fetched(client_of, tmp_path, [], remote=RemoteText(node_id="2", text="héllo"))

    assert server.requests == []
    assert output.path.read_text(encoding="utf-8") == "héllo"
    assert (output.media, output.text, output.filename, output.size_bytes) == ("text", "héllo", "2.txt", 6)


async def test_an_empty_file_is_refused_and_leaves_nothing_behind(client_of, tmp_path):
    with pytest.raises(UnexpectedReply, match=r"'comfygen/x y/a b\(1\) é&.png'.* is empty on the server"):
        await fetched(client_of, tmp_path, Reply(b"", type="image/png"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.flac"])
@pytest.mark.parametrize(
    "body", [b"<html>sign in</html>", b"\xef\xbb\xbf\r\n <!DOCTYPE html>", b'{"error": "no"}']
)
async def test_a_page_or_a_message_in_place_of_a_picture_is_refused(client_of, tmp_path, name, body):
    remote = RemoteFile(node_id="9", filename=name)

    with pytest.raises(UnexpectedReply, match=r"sent text \(HTML or JSON\) in its place"):
        await fetched(client_of, tmp_path, Reply(body), remote=remote)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "body"), [("a.svg", b"<svg/>"), ("a.json", b"{}"), ("a.bin", b"<"), ("a.txt", b"")]
)
async def test_files_that_may_begin_like_that_are_taken(client_of, tmp_path, name, body):
    remote = RemoteFile(node_id="9", filename=name)

    _, output = await fetched(client_of, tmp_path, Reply(body), remote=remote)

    assert output.path.read_bytes() == body
