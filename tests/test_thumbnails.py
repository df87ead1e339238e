"""Small pictures of what is stored: their size, their cache, and what has none."""

import os

import av
import pytest
from gallery_pictures import NEWEST, job_of, keep, painted
from PIL import Image

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.index.entries import entry_of
from comfygen_mcp.services.disk_cache import SHARDS
from comfygen_mcp.services.thumbnails import edge_for, tag_of, thumbnail
from comfygen_mcp.stores.local import LocalStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "gallery")


@pytest.fixture
def kept(store, tmp_path):
    """Return a function: a file to store → its entry."""

    async def stored(path, **kind):
        [generation] = await keep(Archive(store), job_of(0, "a kite", NEWEST), path, **kind)
        return entry_of(generation)

    return stored


@pytest.mark.parametrize(
    ("wanted", "edge"), [(1, 256), (256, 256), (257, 512), (1024, 1024), (1536, 1536), (9000, 1536)]
)
def test_an_edge_is_the_smallest_that_is_large_enough(wanted, edge):
    assert edge_for(wanted) == edge


async def test_a_picture_is_made_small_once_and_then_read_from_the_cache(store, kept, tmp_path):
    entry = await kept(painted(tmp_path / "a.png", (900, 600), 40))
    first = await thumbnail(store, entry, 256, cache=tmp_path / "cache")
    (tmp_path / "gallery" / entry.key).unlink()
    again = await thumbnail(store, entry, 256, cache=tmp_path / "cache")

    assert again == first
    [file] = (tmp_path / "cache").rglob("*.webp")
    with Image.open(file) as picture:
        assert picture.size == (256, 171)
        assert not picture.info.get("exif")
    with pytest.raises(StoreFailed):
        await thumbnail(NoDisk(store), entry, 512, cache=tmp_path / "cache")


async def test_what_is_no_picture_or_damaged_has_none(store, kept, tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("words", encoding="utf-8")
    damaged = tmp_path / "b.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\nnothing")

    for path, kind in ((text, {"media": "text", "mime": "text/plain"}), (damaged, {})):
        assert await thumbnail(store, await kept(path, **kind), 256, cache=tmp_path / "cache") is None
    assert not list((tmp_path / "cache").rglob("*.webp"))


async def test_a_video_is_shown_by_its_first_still(store, kept, tmp_path):
    film = tmp_path / "a.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 96, 64
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p")))
        container.mux(stream.encode())
    entry = await kept(film, media="video", mime="video/mp4")

    data = await thumbnail(store, entry, 256, cache=tmp_path / "cache")
    assert data is not None
    assert data[8:12] == b"WEBP"


async def test_a_damaged_video_has_none(store, kept, tmp_path):
    film = tmp_path / "a.mp4"
    film.write_bytes(b"\x00\x00\x00\x18ftypmp42")

    entry = await kept(film, media="video", mime="video/mp4")
    assert await thumbnail(store, entry, 256, cache=tmp_path / "cache") is None


async def test_without_a_cache_to_write_to_the_picture_is_made_all_the_same(store, kept, tmp_path):
    entry = await kept(painted(tmp_path / "a.png", (300, 200), 40))
    (tmp_path / "cache").write_text("a file in the way", encoding="utf-8")

    assert await thumbnail(store, entry, 256, cache=tmp_path / "cache") is not None


async def test_the_cache_is_bounded_and_what_was_not_looked_at_longest_goes(store, kept, tmp_path):
    entry = await kept(painted(tmp_path / "a.png", (900, 600), 40))
    data = await thumbnail(store, entry, 256, cache=tmp_path / "cache")
    [file] = (tmp_path / "cache").rglob("*.webp")
    old = file.with_name("old.webp")
    old.write_bytes(bytes(3000))
    os.utime(old, (0, 0))

    file.unlink()
    await thumbnail(store, entry, 256, cache=tmp_path / "cache", most_bytes=(len(data) + 100) * SHARDS)

    assert file.exists()
    assert not old.exists()


async def test_a_file_elsewhere_is_fetched(store, kept, tmp_path):
    entry = await kept(painted(tmp_path / "a.png", (300, 200), 40))

    data = await thumbnail(NoDisk(store), entry, 256, cache=tmp_path / "cache")
    assert data == await thumbnail(store, entry, 256, cache=tmp_path / "other")


async def test_a_record_that_lies_about_its_digest_gets_nobody_elses_picture(store, kept, tmp_path):
    entry = await kept(painted(tmp_path / "a.png", (300, 200), 40))
    liar = entry.model_copy(update={"key": "g/2026/11/21/other.png"})

    assert tag_of(liar, 256) != tag_of(entry, 256)
    assert "/" not in tag_of(entry.model_copy(update={"sha256": "../../etc"}), 256)


class NoDisk:
    """A store whose files are not on this machine."""

    def __init__(self, store):
        self._store = store

    def local_path(self, key):
        return None

    def __getattr__(self, name):
        return getattr(self._store, name)
