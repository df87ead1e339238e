"""The local store: whole files or none, inside its folder, and failures told in words."""

import os
import time
from pathlib import Path

import pytest

from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.stores.keys import TEMPORARY, mime_of
from comfygen_mcp.stores.local import LEFTOVER_AFTER_S, LocalStore

pytestmark = pytest.mark.anyio

needs_linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux has /proc")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    return LocalStore(folder)


async def keys(store, prefix=""):
    return [file.key async for file in store.list(prefix)]


async def test_constructing_and_asking_for_addresses_touch_no_disk(store, folder):
    assert store.url("g/fox 雪.png") == (folder / "g/fox 雪.png").as_uri()
    assert store.url("a").startswith("file:///")
    assert store.local_path("g/a.png") == folder / "g/a.png"
    assert not folder.exists()


async def test_a_relative_folder_becomes_an_absolute_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert LocalStore(Path("a/../b")).local_path("k") == tmp_path / "b/k"
    assert str(tmp_path / "b") in LocalStore(Path("b")).name


async def test_a_write_leaves_no_temporary_file(store, folder):
    await store.put_bytes("g/a.txt", b"x", mime="text/plain")

    assert [path.name for path in (folder / "g").iterdir()] == ["a.txt"]


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(store, folder, tmp_path):
    await store.put_bytes("g/a.txt", b"old", mime="text/plain")

    with pytest.raises(StoreFailed):
        await store.put_file("g/a.txt", tmp_path, mime="text/plain")

    assert await store.read("g/a.txt") == b"old"
    assert [path.name for path in (folder / "g").iterdir()] == ["a.txt"]


async def test_unfinished_files_are_not_listed_and_old_ones_are_swept(store, folder):
    await store.put_bytes("g/a.txt", b"x", mime="text/plain")
    new, old = (folder / "g" / f"{TEMPORARY}{name}" for name in ("new", "old"))
    for file in (new, old):
        file.write_bytes(b"half")
    long_ago = time.time() - LEFTOVER_AFTER_S - 60
    os.utime(old, (long_ago, long_ago))

    assert await keys(store) == ["g/a.txt"]
    assert new.exists()
    assert not old.exists()


async def test_names_that_are_no_keys_and_links_are_left_out_of_the_list(store, folder, tmp_path):
    await store.put_bytes("g/a.txt", b"x", mime="text/plain")
    (folder / "g/back\\slash").write_bytes(b"")
    (folder / "back\\slash").mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "g/link.txt").symlink_to(folder / "g/a.txt")

    assert await keys(store) == ["g/a.txt"]


async def test_a_link_that_leaves_the_folder_is_refused(store, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"secret")
    folder.mkdir()
    (folder / "out").symlink_to(outside)
    (folder / "loop").symlink_to(folder / "loop")

    for attempt in (
        lambda: store.read("out/secret.txt"),
        lambda: store.stat("out/secret.txt"),
        lambda: store.delete("out/secret.txt"),
        lambda: store.put_bytes("out/new/a.txt", b"x", mime="text/plain"),
        lambda: store.put_bytes("loop/a.txt", b"x", mime="text/plain"),
    ):
        with pytest.raises((BadRequest, StoreFailed), match="link"):
            await attempt()
    assert [path.name for path in outside.iterdir()] == ["secret.txt"]


async def test_a_store_folder_that_is_itself_a_link_works(folder, tmp_path):
    (tmp_path / "real").mkdir()
    folder.symlink_to(tmp_path / "real")

    await LocalStore(folder).put_bytes("g/a.txt", b"x", mime="text/plain")

    assert (tmp_path / "real/g/a.txt").read_bytes() == b"x"
    assert await keys(LocalStore(folder)) == ["g/a.txt"]


async def test_a_file_where_a_folder_is_needed_is_told(store, folder):
    folder.write_bytes(b"in the way")

    for attempt in (
        lambda: store.put_bytes("g/a.txt", b"x", mime="text/plain"),
        lambda: keys(store),
        store.writable,
    ):
        with pytest.raises(StoreFailed, match="A file stands where a folder is needed"):
            await attempt()


async def test_a_folder_where_a_file_is_needed_is_told(store):
    await store.put_bytes("g/a/b.txt", b"x", mime="text/plain")

    with pytest.raises(StoreFailed, match="or the other way round"):
        await store.put_bytes("g/a", b"x", mime="text/plain")
    with pytest.raises(StoreFailed, match="or the other way round"):
        await store.read("g/a")
    assert await store.stat("g/a") is None


@needs_linux
async def test_a_folder_that_takes_no_files_is_told_also_to_root():
    store = LocalStore(Path("/proc/comfygen"))

    with pytest.raises(
        StoreFailed, match=r"Cannot write 'a\.txt' in the local folder /proc/comfygen: .*set another"
    ):
        await store.put_bytes("a.txt", b"x", mime="text/plain")


@pytest.fixture
def small_files_only():
    """No file of this process may grow beyond 64 KiB: the real thing nearest to a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_fails_in_the_middle_of_a_write_is_told_and_the_old_file_stays(
    store, folder, small_files_only
):
    await store.put_bytes("g/a.txt", b"old", mime="text/plain")

    with pytest.raises(StoreFailed, match=r"File too large\. Check the disk, or set another folder"):
        await store.put_bytes("g/a.txt", bytes(200_000), mime="text/plain")

    assert await store.read("g/a.txt") == b"old"
    assert [path.name for path in (folder / "g").iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
async def test_missing_rights_are_told(store, folder):
    folder.mkdir(mode=0o500)

    with pytest.raises(StoreFailed, match="Give this user the right"):
        await store.put_bytes("a.txt", b"x", mime="text/plain")


async def test_the_probe_leaves_nothing_behind(store, folder):
    await store.writable()

    assert list(folder.iterdir()) == []


async def test_a_folder_that_vanishes_while_it_is_listed_is_no_error(store, folder):
    await store.put_bytes("a/1", b"x", mime="text/plain")
    await store.put_bytes("b/1", b"x", mime="text/plain")
    seen = []

    async for file in store.list():
        seen.append(file.key)
        if file.key == "a/1":
            (folder / "b/1").unlink()
            (folder / "b").rmdir()

    assert seen == ["a/1"]


@pytest.mark.parametrize(
    ("key", "mime"),
    [
        ("a.PNG", "image/png"),
        ("a.webp", "image/webp"),
        ("a.mp4", "video/mp4"),
        ("a.mkv", "video/x-matroska"),
        ("a.flac", "audio/flac"),
        ("a.png.json", "application/json"),
        ("a.txt", "text/plain"),
        ("a.unknown", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_extension_tells_the_type(key, mime):
    assert mime_of(key) == mime
