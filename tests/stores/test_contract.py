"""What every store promises; a new store joins by one parameter."""

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from s3_servers import opened

from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.stores.base import Condition
from comfygen_mcp.stores.keys import LONGEST_KEY, LONGEST_PART
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore
from comfygen_mcp.stores.spool import SpooledStore

pytestmark = pytest.mark.anyio

STORES = ("local", "memory", "rclone", "rclone with a prefix", "rclone behind a spool", "rgw")
PREFIXES = {"with a prefix": "team/a/"}
BAD_KEYS = [
    *("", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/.."),
    *(
        "a\\b",
        "C:/a",
        "a:b",
        "a\0b",
        "a\nb",
        'a"b',
        "a*",
        "\ud800",
        "e\u0301",
        ".incomplete-1",
        "a/.incomplete-1",
    ),
    *("x" * (LONGEST_PART + 1), "/".join(["x" * 99] * 10)),
]


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    with opened_store(request, tmp_path) as opened_one:
        yield opened_one


@contextmanager
def opened_store(request, folder):
    kind, _, more = request.param.partition(" ")
    if kind == "local":
        yield LocalStore(folder / "store")
    elif kind == "memory":
        yield MemoryStore()
    else:
        server = request.getfixturevalue(kind)
        s3 = server.s3 if kind == "rclone" else server
        with opened(s3.options(f"b{uuid.uuid4().hex}", prefix=PREFIXES.get(more, ""))) as store:
            yield SpooledStore(store, folder / "spool", spool_after_s=20) if "spool" in more else store


async def keys(store, prefix="", **more):
    return [file.key async for file in store.list(prefix, **more)]


async def put(store, *names):
    for name in names:
        await store.put_bytes(name, name.encode(), mime="text/plain")


async def test_what_is_put_is_read_again(store, tmp_path):
    picture = tmp_path / "in.png"
    picture.write_bytes(bytes(range(256)) * 9000)

    await store.put_file("g/1/fox.png", picture, mime="image/png", metadata={"id": "1"})
    await store.put_bytes("g/1/fox.png.json", b"{}", mime="application/json")

    assert await store.read("g/1/fox.png") == picture.read_bytes()
    assert await store.read("g/1/fox.png.json") == b"{}"


async def test_a_second_put_replaces_the_first(store, tmp_path):
    (tmp_path / "in").write_bytes(b"second")
    await store.put_bytes("a.txt", b"first, and longer", mime="text/plain")

    await store.put_file("a.txt", tmp_path / "in", mime="text/plain")

    assert await store.read("a.txt") == b"second"
    assert await keys(store) == ["a.txt"]


async def test_stat_tells_size_time_and_type_without_the_bytes(store):
    await store.put_bytes("g/fox.webp", b"12345", mime="image/webp")

    found = await store.stat("g/fox.webp")

    assert (found.key, found.size_bytes, found.mime) == ("g/fox.webp", 5, "image/webp")
    assert abs(datetime.now(UTC) - found.modified) < timedelta(minutes=5)


@pytest.mark.parametrize("missing", ["gone.png", "g/gone.png", "g/a.txt/gone.png", "g"])
async def test_what_is_not_there_has_no_stat_cannot_be_read_and_may_be_deleted(store, missing):
    await put(store, "g/a.txt")

    assert await store.stat(missing) is None
    with pytest.raises(StoreFailed, match="Cannot read"):
        await store.read(missing)
    if missing != "g":
        await store.delete(missing)
    assert await keys(store) == ["g/a.txt"]


async def test_what_is_deleted_is_gone(store):
    await put(store, "a/1", "a/2")

    await store.delete("a/1")

    assert await store.stat("a/1") is None
    assert await keys(store) == ["a/2"]


async def test_listing_is_in_key_order_across_folders(store):
    names = ["a.png", "a/b", "a-b", "a0", "a/a/z", "b/1", "b/10", "b/2", "ä/雪", "A"]
    await put(store, *names)

    assert await keys(store) == sorted(names)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["a/1", "a/2", "ab/1", "b"]),
        ("a", ["a/1", "a/2", "ab/1"]),
        ("a/", ["a/1", "a/2"]),
        ("a/2", ["a/2"]),
        ("c/", []),
        ("a/1/x", []),
        ("../", []),
    ],
)
async def test_a_prefix_may_end_anywhere_in_a_key(store, prefix, expected):
    await put(store, "a/1", "a/2", "ab/1", "b")

    assert await keys(store, prefix) == expected


async def test_listing_starts_strictly_after_any_text(store):
    names = ["a-b", "a/1", "a/2/3", "a0", "b/1"]
    await put(store, *names)

    for start in ["", *names, "a", "a/", "a/1x", "a/2", "a/2/", "a/zz", "b", "b/", "zz"]:
        assert await keys(store, start_after=start) == [n for n in sorted(names) if n > start], start


async def test_an_empty_store_lists_nothing(store):
    assert await keys(store) == []
    assert await keys(store, "g/") == []


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_key_of_another_form_is_refused_by_every_method(store, key, tmp_path):
    (tmp_path / "in").write_bytes(b"x")

    for attempt in (
        lambda: store.put_file(key, tmp_path / "in", mime="text/plain"),
        lambda: store.put_bytes(key, b"x", mime="text/plain"),
        lambda: store.read(key),
        lambda: store.stat(key),
        lambda: store.delete(key),
    ):
        with pytest.raises(BadRequest, match="cannot be used"):
            await attempt()
    with pytest.raises(BadRequest, match="cannot be used"):
        await store.link(key, expires_s=60)
    for method in (store.url, store.local_path, store.is_waiting):
        with pytest.raises(BadRequest, match="cannot be used"):
            method(key)
    assert await keys(store) == []


async def test_the_longest_key_is_accepted(store):
    key = "/".join(["x" * LONGEST_PART] * 5)[:LONGEST_KEY]

    await put(store, key)

    assert await keys(store) == [key]


async def test_putting_a_file_that_is_not_there_fails_and_leaves_nothing(store, tmp_path):
    with pytest.raises(StoreFailed, match="Cannot write"):
        await store.put_file("g/a.png", tmp_path / "gone.png", mime="image/png")

    assert await keys(store) == []


async def test_the_url_of_a_key_is_always_the_same(store):
    first = store.url("g/fox 雪.png")
    await put(store, "g/fox 雪.png")

    assert store.url("g/fox 雪.png") == first
    assert "?" not in first


async def test_what_is_stored_has_a_link_and_waits_for_nothing(store):
    await put(store, "g/a")

    assert (await store.link("g/a", expires_s=60)).startswith(store.url("g/a"))
    assert not store.is_waiting("g/a")
    assert await store.condition() == Condition(waiting=0, notes=())


async def test_the_probe_of_the_store_leaves_nothing(store):
    await store.writable()

    assert await keys(store) == []


async def test_the_name_is_for_people(store):
    assert store.name
