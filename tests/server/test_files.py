"""`/files/…` over real sockets: what a holder of a link gets, and what nobody else learns."""

import io
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import httpx
import pytest
from http_service import served
from media_files import SECRET, png, webp
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route

from comfygen_mcp.app import open_app
from comfygen_mcp.errors import BadConfiguration, StoreFailed
from comfygen_mcp.server.files import CHUNK, Files, _FilePart
from comfygen_mcp.server.links import FileLinks
from comfygen_mcp.server.ranges import Span
from comfygen_mcp.server.shared import SharedApp
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

KEY = "g/2026/11/21/a.png"
DATA = bytes(range(256)) * 3000


@pytest.fixture
def gallery(tmp_path):
    def put(key, data):
        file = tmp_path / "gallery" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    return put


@pytest.fixture
def running(settings):
    """A service that hands files out as they are: most of them here are no pictures at all."""
    with served(settings.model_copy(update={"strip_metadata": "never"})) as service:
        yield service


def link(running, key=KEY):
    return running.service._links.url(running.url, key)


def test_a_whole_file_comes_in_pieces_with_all_its_headers(running, gallery):
    gallery(KEY, DATA)
    reply = running.http.get(link(running))

    assert len(DATA) > 2 * CHUNK
    assert reply.content == DATA
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["content-length"] == str(len(DATA))
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-disposition"] == "inline; filename*=UTF-8''a.png"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"].startswith("private, max-age=")
    assert reply.headers["etag"].startswith('"')


def test_head_tells_the_same_without_the_bytes(running, gallery):
    gallery(KEY, DATA)
    whole, head = running.http.get(link(running)), running.http.head(link(running))
    part = running.http.head(link(running), headers={"Range": "bytes=0-9"})
    told = ("content-type", "content-length", "etag", "accept-ranges", "content-disposition")

    assert head.status_code == 200
    assert head.content == b""
    assert {name: head.headers[name] for name in told} == {name: whole.headers[name] for name in told}
    assert (part.status_code, part.headers["content-length"]) == (206, "10")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-9", DATA[:10]),
        ("bytes=300000-700000", DATA[300_000:700_001]),
        ("bytes=-7", DATA[-7:]),
        ("bytes=767990-", DATA[767_990:]),
    ],
)
def test_a_part_is_the_slice_that_was_asked_for(running, gallery, header, wanted):
    gallery(KEY, DATA)
    reply = running.http.get(link(running), headers={"Range": header})

    assert reply.status_code == 206
    assert reply.content == wanted
    assert reply.headers["content-range"].endswith(f"/{len(DATA)}")
    assert reply.headers["content-length"] == str(len(wanted))


def test_a_part_after_the_end_is_refused_with_the_size(running, gallery):
    gallery(KEY, b"short")
    reply = running.http.get(link(running), headers={"Range": "bytes=5-"})

    assert reply.status_code == 416
    assert reply.headers["content-range"] == "bytes */5"


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(running, gallery):
    gallery(KEY, b"first")
    tag = running.http.get(link(running)).headers["etag"]
    same = running.http.get(link(running), headers={"If-None-Match": f'"other", W/{tag}'})
    gallery(KEY, b"second!")
    other = running.http.get(link(running), headers={"If-None-Match": tag})
    resumed = running.http.get(link(running), headers={"Range": "bytes=2-", "If-Range": tag})
    fresh = running.http.get(link(running), headers={"Range": "bytes=2-", "If-Range": other.headers["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert (other.status_code, other.content) == (200, b"second!")
    assert (resumed.status_code, resumed.content) == (200, b"second!")
    assert (fresh.status_code, fresh.content) == (206, b"cond!")


def test_an_empty_file_is_empty(running, gallery):
    gallery("g/empty.txt", b"")
    reply = running.http.get(link(running, "g/empty.txt"))

    assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xml", "a.js", "a.pdf", "a.unknown", "noextension"])
def test_what_a_browser_could_run_is_a_download(running, gallery, name):
    gallery(f"g/{name}", b"<script>alert(1)</script>")
    reply = running.http.get(link(running, f"g/{name}"))

    assert reply.status_code == 200
    assert reply.headers["content-disposition"].startswith("attachment;")
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_a_name_with_odd_letters_survives_the_way(running, gallery):
    key = "g/é ü&=+%20_0.png"
    gallery(key, b"odd")
    reply = running.http.get(link(running, key))

    assert reply.content == b"odd"
    assert "\n" not in reply.headers["content-disposition"]


def test_a_wrong_link_says_the_same_whether_the_file_is_there_or_not(running, gallery):
    gallery(KEY, b"there")
    expired = FileLinks(None, valid_s=-5)
    expired._key = running.service._links._key
    good = link(running)
    tries = [
        good[:-1],
        good.replace("a.png", "b.png"),
        good.replace("e=", "e=9"),
        good.partition("?")[0],
        f"{running.url}/files/missing.png",
        f"{running.url}/files/..%2f..%2fetc%2fpasswd?e=9999999999&s=x",
        expired.url(running.url, KEY),
        FileLinks(None, valid_s=60).url(running.url, KEY),
    ]
    replies = [running.http.get(url) for url in tries]

    assert running.http.get(good).status_code == 200
    assert {reply.status_code for reply in replies} == {403}
    assert len({reply.content for reply in replies}) == 1
    assert not any("etag" in reply.headers or "content-range" in reply.headers for reply in replies)


def test_a_good_link_to_a_file_that_is_gone_or_no_file_is_not_found(running, gallery, tmp_path):
    gallery("g/folder/inside.png", b"x")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (tmp_path / "gallery" / "g" / "out.png").symlink_to(tmp_path / "secret")
    replies = [
        running.http.get(link(running, key))
        for key in ("g/gone.png", "g/folder", "g/out.png", "g//x", "../x")
    ]

    assert [reply.status_code for reply in replies] == [404] * 5
    assert not any("secret" in reply.text for reply in replies)


def test_only_reading_is_allowed(running, gallery):
    gallery(KEY, b"x")

    assert running.http.post(link(running)).status_code == 405
    assert running.http.delete(link(running)).status_code == 405


async def test_a_file_that_disappears_between_look_and_read_is_not_found(tmp_path):
    app = _FilePart(tmp_path / "gone.png", Span(0, 0, 1), 200, {"Content-Length": "1"})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        reply = await client.get("/")

    assert reply.status_code == 404


class Frozen(MemoryStore):
    async def stat(self, key):
        raise StoreFailed("the medium failed at /secret/place")


@pytest.fixture
def asked(settings):
    """Return a function: a store → a client of `/files/` on it, and the links."""

    def client_of(store, failures):
        @asynccontextmanager
        async def app_with_store():
            async with open_app(settings.model_copy(update={"strip_metadata": "never"}), {}) as app:
                yield replace(app, store=store)

        shared = SharedApp(app_with_store)
        links = FileLinks(None, valid_s=60)
        endpoint = Files(shared, links, partial(failures.append, "failed"))
        app = Starlette(routes=[Route("/files/{key:path}", endpoint.__call__)])
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")
        return client, links, shared

    return client_of


async def test_a_store_without_paths_is_read_and_cut(asked):
    store = MemoryStore()
    await store.put_bytes(KEY, b"0123456789", mime="image/png")
    client, links, shared = asked(store, [])
    async with client:
        whole = await client.get(links.url("http://x", KEY))
        part = await client.get(links.url("http://x", KEY), headers={"Range": "bytes=2-4"})
    await shared.aclose()

    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (
        200,
        b"0123456789",
        "image/png",
    )
    assert (part.status_code, part.content, part.headers["content-length"]) == (206, b"234", "3")


async def test_a_store_that_fails_is_unavailable_counted_and_named_nowhere(asked):
    failures = []
    client, links, shared = asked(Frozen(), failures)
    async with client:
        reply = await client.get(links.url("http://x", KEY))
    await shared.aclose()

    assert reply.status_code == 503
    assert "/secret" not in reply.text
    assert failures == ["failed"]


async def test_an_app_that_cannot_open_is_unavailable():
    def broken():
        raise BadConfiguration("presets.yaml line 3 is wrong")

    links = FileLinks(None, valid_s=60)
    app = Starlette(routes=[Route("/files/{key:path}", Files(SharedApp(broken), links).__call__)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        reply = await client.get(links.url("http://x", KEY))

    assert reply.status_code == 503
    assert "presets" not in reply.text


@pytest.fixture
def shared(settings):
    """A service as it is without any setting: what leaves by a link loses its graph."""
    with served(settings) as service:
        yield service


@pytest.mark.parametrize(("name", "made"), [("a.png", png), ("a.webp", webp)])
def test_what_leaves_by_a_link_has_lost_its_graph_and_not_a_pixel(shared, gallery, name, made):
    stored = gallery(f"g/2026/11/21/{name}", made())
    reply = shared.http.get(link(shared, f"g/2026/11/21/{name}"))

    assert reply.status_code == 200
    assert SECRET.encode() in stored.read_bytes()
    assert SECRET.encode() not in reply.content
    with Image.open(stored) as original, Image.open(io.BytesIO(reply.content)) as handed:
        assert handed.convert("RGBA").tobytes() == original.convert("RGBA").tobytes()


def test_a_cleaned_copy_is_cut_like_the_file_itself(shared, gallery):
    gallery("g/2026/11/21/cut.png", png())
    url = link(shared, "g/2026/11/21/cut.png")
    whole = shared.http.get(url)
    part = shared.http.get(url, headers={"Range": "bytes=4-11"})
    head = shared.http.head(url)
    again = shared.http.get(url, headers={"If-None-Match": whole.headers["etag"]})

    assert part.content == whole.content[4:12]
    assert int(head.headers["content-length"]) == len(whole.content)
    assert (part.status_code, again.status_code) == (206, 304)


def test_a_picture_that_cannot_be_cleaned_is_not_handed_on_and_a_text_is(shared, gallery):
    gallery("g/2026/11/21/x.gif", b"GIF89a with a secret")
    gallery("g/2026/11/21/x.txt", b"a text")
    refused = shared.http.get(link(shared, "g/2026/11/21/x.gif"))

    assert refused.status_code == 403
    assert "strip_metadata: never" in refused.text
    assert shared.http.get(link(shared, "g/2026/11/21/x.txt")).content == b"a text"


def test_without_room_for_copies_nothing_leaves_uncleaned(settings, gallery, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    gallery("g/2026/11/21/cut.png", png())
    with served(settings.model_copy(update={"cache": tmp_path / "cache"})) as service:
        reply = service.http.get(link(service, "g/2026/11/21/cut.png"))

    assert reply.status_code == 503
    assert SECRET.encode() not in reply.content
