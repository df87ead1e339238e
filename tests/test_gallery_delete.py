"""Deleting survives what comes between: crashes at each step, a store that is away, files in the spool."""

import pytest
from gallery_world import NOW, found, generation, keys, many, opened, put
from watched_store import PowerCut, WatchedStore, away, power_cut_at

from comfygen_mcp import sidecar
from comfygen_mcp.errors import IndexFailed, StoreFailed, UnknownName
from comfygen_mcp.services import gallery_sync
from comfygen_mcp.stores.memory import MemoryStore
from comfygen_mcp.stores.spool import SpooledStore

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(gallery_sync, "EVERY_S", 0.0)
    monkeypatch.setattr(gallery_sync, "AFTER_FAILURE_S", 0.0)


@pytest.mark.parametrize("at", [("put", 1), ("delete", 1), ("delete", 2)])
@pytest.mark.parametrize("index", ["same index", "another machine"])
async def test_a_crash_at_any_step_leaves_it_whole_or_gone(tmp_path, at, index):
    store = WatchedStore(MemoryStore())
    one, other = many(2)
    await put(store, one, other)
    async with opened(store, tmp_path / "index") as gallery:
        await found(gallery)
        store.before = power_cut_at(*at)
        with pytest.raises(PowerCut):
            await gallery.delete(one.id)
    store.before = lambda verb, key: None
    whole = at == ("put", 1)

    async with opened(store, tmp_path / ("index" if index == "same index" else "other")) as gallery:
        assert await found(gallery) == ([other.prompt, one.prompt] if whole else [other.prompt])
        if whole:
            assert await gallery.find(one.id) == one
        else:
            with pytest.raises(UnknownName):
                await gallery.find(one.id)
            with pytest.raises(UnknownName):
                await gallery.entry(one.id[:14])
        await gallery.reindex()
        assert len(await found(gallery)) == 1 + whole

        report = await gallery.care(dry_run=False)
        left = {("put", 1): 0, ("delete", 1): 2, ("delete", 2): 1}[at]
        assert (report.unfinished, report.removed) == (left, left)
        assert await keys(store, "g/") == [
            key for each in ([one, other] if whole else [other]) for key in (each.key, f"{each.key}.json")
        ]
        assert len(await found(gallery)) == 1 + whole


async def test_a_store_that_fails_after_the_edit_is_told_and_care_ends_the_work(tmp_path):
    store, one = WatchedStore(MemoryStore()), generation()
    await put(store, one)

    def no_deletes(verb, key):
        if verb == "delete":
            away(verb, key)

    async with opened(store, tmp_path / "index") as gallery:
        store.before = no_deletes
        with pytest.raises(StoreFailed, match="out of the gallery, but its file is still in the store"):
            await gallery.delete(one.id)
        assert await found(gallery) == []
        store.before = lambda verb, key: None
        assert (await gallery.care()).unfinished == 2
        assert len(await keys(store, "g/")) == 2, "a dry run removes nothing"
        await gallery.care(dry_run=False)
        assert await keys(store, "g/") == []


async def test_an_index_that_fails_does_not_stop_a_deletion(tmp_path, monkeypatch):
    store, one = MemoryStore(), generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        await found(gallery)

        async def fail(_edits):
            raise IndexFailed("The disk is full.")

        with monkeypatch.context() as patched:
            patched.setattr(gallery._index, "edit", fail)
            await gallery.delete(one.id)
        assert await keys(store, "g/") == []
        assert await found(gallery) == []


async def test_what_still_waits_in_the_spool_is_deleted_too(tmp_path):
    remote = WatchedStore(MemoryStore(), before=away)
    one = generation()
    spooled = SpooledStore(remote, tmp_path / "spool", spool_after_s=5)
    await put(spooled, one)
    assert spooled.is_waiting(one.key)
    async with opened(spooled, tmp_path / "index") as gallery:
        # What waits is listed first, so it is found before the outage is met.
        entry = await gallery.entry(one.id)
        assert entry.id == one.id
        with pytest.raises(StoreFailed, match="still in the store"):
            await gallery.delete(one.id)
        assert not spooled.is_waiting(one.key + sidecar.SUFFIX)
        assert not spooled.is_waiting(one.key)

        remote.before = lambda verb, key: None
        assert await spooled.deliver()
        assert await keys(spooled, "g/") == []
        assert (await gallery.care(dry_run=False)).unfinished == 0
    async with opened(spooled, tmp_path / "other") as elsewhere:
        assert await found(elsewhere) == []


async def test_deleting_waits_for_no_comfyui_and_names_who_did_it(tmp_path):
    store, one = MemoryStore(), generation(NOW)
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.delete(one.id, by="ana")
    (edit,) = await keys(store, "edits/")
    assert b'"by": "ana"' in await store.read(edit)
