"""Export and sharing: a zip of files and sidecars, with or without what they tell about their making."""

import hashlib
import json
import tracemalloc
import zipfile

import pytest
from gallery_world import HOUR, NOW, generation, many, opened, put
from media_files import SECRET, pixels, png
from watched_store import WatchedStore, away

from comfygen_mcp import sidecar
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.index.base import Query
from comfygen_mcp.models import InputFile
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


def with_text(each, text=b"words"):
    """Return *each* as a text output, which nothing has to be taken out of."""
    facts = {"media": "text", "mime": "text/plain", "key": each.key.replace(".png", ".txt")}
    return each.model_copy(update={**facts, "size_bytes": len(text)})


async def test_matches_of_a_query_become_a_zip_with_their_sidecars(store, tmp_path):
    generations = many(3)
    await put(store, *generations, data=png())
    told = []
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.tag(generations[0].id, add=["red"])
        report = await gallery.export(
            Query(text="fox"),
            tmp_path / "fox.zip",
            strip=False,
            progress=lambda done, total: told.append((done, total)),
        )
    assert (report.files, report.size_bytes) == (3, 3 * len(png()))
    assert (report.missing, report.uncleaned) == ((), ())
    assert told == [(1, None), (2, None), (3, None)]
    with zipfile.ZipFile(tmp_path / "fox.zip") as packed:
        assert packed.testzip() is None
        names = [each.key.rpartition("/")[2] for each in reversed(generations)]
        assert packed.namelist() == [name for file in names for name in (file, f"{file}.json")]
        assert packed.read(names[0]) == png()
        first = sidecar.from_json(packed.read(f"{names[2]}.json"))
        assert first == generations[0].model_copy(update={"tags": ("red",)})
        assert packed.infolist()[0].date_time == (2026, 11, 21, 11, 0, 2)
    assert not list(tmp_path.glob(".export-*"))


async def test_what_is_shared_loses_graph_host_and_caller_and_keeps_its_prompt(store, tmp_path):
    picture = InputFile(
        placeholder="image",
        name="private name",
        key="inputs/x.png",
        sha256="0" * 64,
        mime="image/png",
        size_bytes=1,
        width=1,
        height=1,
        origin="/home/ana/private name.png",
    )
    one = generation(NOW, 1, caller="editor", owner="ana", inputs=(picture,), values={"prompt": "private"})
    await put(store, one, data=png())
    async with opened(store, tmp_path / "index") as gallery:
        report = await gallery.export([one.id[:13]], tmp_path / "fox.zip")
        assert await gallery.read_shared(one) != await gallery.read_output(one)
        assert pixels(await gallery.read_shared(one)) == pixels(png())
    assert report.files == 1
    with zipfile.ZipFile(tmp_path / "fox.zip") as packed:
        data, fields = packed.read(packed.namelist()[0]), json.loads(packed.read(packed.namelist()[1]))
    assert SECRET.encode() not in data
    assert pixels(data) == pixels(png())
    assert (fields["prompt"], fields["seed"]) == (one.prompt, 1)
    assert (fields["size_bytes"], fields["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    text = json.dumps(fields)
    for private in ("private", "fox:8188", "editor", "ana", "SaveImage", "memory:"):
        assert private not in text
    assert sidecar.from_json(text.encode()).id == one.id


async def test_switched_off_nothing_is_taken_out(tmp_path):
    store, one = MemoryStore(), generation()
    await put(store, one, data=png())
    async with opened(store, tmp_path / "index", COMFYGEN_STRIP_METADATA="never") as gallery:
        await gallery.export([one.id], tmp_path / "fox.zip", sidecars=False)
        assert await gallery.read_shared(one) == png()
    with zipfile.ZipFile(tmp_path / "fox.zip") as packed:
        assert [packed.read(name) for name in packed.namelist()] == [png()]


async def test_what_cannot_be_cleaned_is_left_out_and_named(store, tmp_path):
    odd, text = generation(NOW, 1), with_text(generation(NOW - HOUR, 2))
    await put(store, odd, text, data=b"neither picture nor film")
    async with opened(store, tmp_path / "index") as gallery:
        report = await gallery.export(Query(), tmp_path / "fox.zip")
        assert (report.files, report.uncleaned) == (1, (odd.id,))
        with pytest.raises(BadRequest, match="strip_metadata: never"):
            await gallery.read_shared(odd)
        assert await gallery.read_shared(text) == b"neither picture nor film"


async def test_what_is_gone_is_named_and_the_rest_is_exported(store, tmp_path):
    no_file, no_sidecar, corrupt, whole = many(4)
    await put(store, no_file, no_sidecar, corrupt, whole, data=png())
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.search(Query())).entries
        await store.delete(no_file.key)
        await store.delete(f"{no_sidecar.key}.json")
        await store.put_bytes(f"{corrupt.key}.json", b"{", mime="application/json")
        report = await gallery.export(Query(), tmp_path / "fox.zip")
    assert report.files == 1
    assert set(report.missing) == {no_file.id, no_sidecar.id, corrupt.id}


async def test_a_caller_exports_only_what_it_may_see(tmp_path):
    store = MemoryStore()
    hers, his = generation(NOW, 1, owner="ana"), generation(NOW, 2, owner="ben")
    await put(store, hers, his, data=png())
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.export(Query(), tmp_path / "a.zip", visible_to="ana")).files == 1
        with pytest.raises(UnknownName):
            await gallery.export([his.id], tmp_path / "b.zip", visible_to="ana")
    assert not (tmp_path / "b.zip").exists()
    assert not list(tmp_path.glob(".export-*"))


async def test_no_file_is_written_over_and_no_folder_made(tmp_path):
    (tmp_path / "there.zip").write_bytes(b"precious")
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match=r"'there.zip' is there already"):
            await gallery.export(Query(), tmp_path / "there.zip")
        with pytest.raises(StoreFailed, match=r"'fox.zip' could not be written"):
            await gallery.export(Query(), tmp_path / "nowhere" / "fox.zip")
    assert (tmp_path / "there.zip").read_bytes() == b"precious"


async def test_a_store_that_goes_away_midway_leaves_no_zip(tmp_path):
    store = WatchedStore(MemoryStore())
    await put(store, *many(3), data=png())
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.refresh()
        store.before = away
        with pytest.raises(StoreFailed, match="nobody answers"):
            await gallery.export(Query(), tmp_path / "fox.zip")
    assert not (tmp_path / "fox.zip").exists()


async def test_an_export_of_nothing_is_an_empty_zip(tmp_path):
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        assert (await gallery.export(Query(), tmp_path / "none.zip")).files == 0
    assert zipfile.ZipFile(tmp_path / "none.zip").namelist() == []


async def test_a_picture_of_before_1980_has_a_date_that_a_zip_can_hold(tmp_path):
    store, old = MemoryStore(), generation(NOW.replace(year=1975))
    await put(store, old, data=png())
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.export([old.id], tmp_path / "old.zip")
    assert zipfile.ZipFile(tmp_path / "old.zip").infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


async def test_an_export_of_many_large_files_stays_small_in_memory(tmp_path):
    store = LocalStore(tmp_path / "store")
    await put(store, *many(5), data=b"\0" * 20_000_000)
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.refresh()
        tracemalloc.start()
        try:
            report = await gallery.export(Query(), tmp_path / "fox.zip", strip=False)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert report.size_bytes == 100_000_000
    assert peak < 15_000_000
